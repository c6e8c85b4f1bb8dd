"""The objects of every sub-chart: there, as the release says, and of this one release."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from runbook.app.application import COMPONENTS
from runbook.checks.package import sub_charts
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import meshed, running
from tests.fakes.worlds import FakeApi, world_of

Object = dict[str, Any]
OWN = {"meta.helm.sh/release-name": "todo-app", "meta.helm.sh/release-namespace": "todo"}


def objects(name: str, workload: str = "Deployment") -> list[Object]:
    """What a sub-chart brings, as its manifest says it."""
    labels = {"app.kubernetes.io/name": name}
    titles = {workload: name, "Service": f"{name}-svc", "ServiceAccount": f"{name}-sa", "NetworkPolicy": name}
    return [
        {
            "kind": kind,
            "metadata": {"name": title, "namespace": "todo", "labels": labels},
            "spec": {"of": name},
        }
        for kind, title in titles.items()
    ]


class Place:
    def __init__(self, settings: Settings, *, redis: bool = False) -> None:
        self.manifest = [each for component in COMPONENTS for each in objects(component.name)]
        values: Object = {}
        if redis:
            self.manifest += objects("redis", "StatefulSet")
            values = meshed.VALUES
        self.api = FakeApi()
        for each in self.manifest:
            live = copy.deepcopy(each)
            live["metadata"]["annotations"] = dict(OWN)
            self.api.put(live)
        self.api.put(running.release_secret(revision=3, objects=self.manifest, values=values))
        self.world: World = world_of(settings, api=self.api)

    def live(self, kind: str, name: str) -> Object:
        return self.api.objects[kind, "todo", name]


@pytest.fixture
def place(settings: Settings) -> Place:
    return Place(settings)


def test_each_sub_chart_has_its_objects(place: Place, settings: Settings) -> None:
    outcome = sub_charts.deployed(place.world)
    assert outcome.status is Status.PASSED, outcome
    assert (
        "revision 3 made 4 objects of frontend, 4 objects of backend, 4 objects of mcp-server"
        in outcome.observed
    )
    with_redis = sub_charts.deployed(Place(settings, redis=True).world)
    assert with_redis.status is Status.PASSED, with_redis
    assert "4 objects of redis" in with_redis.observed


def test_what_is_gone_changed_or_foreign_is_named(place: Place) -> None:
    del place.api.objects["Service", "todo", "mcp-server-svc"]
    place.live("Deployment", "backend")["spec"] = {"of": "another"}
    place.live("NetworkPolicy", "frontend")["metadata"]["annotations"]["meta.helm.sh/release-name"] = "other"
    place.live("ServiceAccount", "frontend-sa")["metadata"]["annotations"] = {}
    outcome = sub_charts.deployed(place.world)
    assert outcome.status is Status.FAILED
    assert "Service mcp-server-svc of the release is not there" in outcome.observed
    assert "Deployment backend: spec.of is another" in outcome.observed
    assert "NetworkPolicy frontend belongs to release todo/other" in outcome.observed
    assert "ServiceAccount frontend-sa belongs to release nobody/nobody" in outcome.observed
    assert outcome.hint


def test_a_sub_chart_that_the_release_does_not_hold_is_named(settings: Settings) -> None:
    place = Place(settings)
    manifest = [
        each for each in place.manifest if each["metadata"]["labels"]["app.kubernetes.io/name"] != "backend"
    ]
    place.api.put(running.release_secret(revision=3, objects=manifest))
    assert "the release holds no Deployment of backend" in sub_charts.deployed(place.world).observed


def test_a_failed_revision_above_the_deployed_one_does_not_count(place: Place) -> None:
    place.api.put(running.release_secret(revision=4, status="failed"))
    assert sub_charts.deployed(place.world).green
    place.api.put(running.release_secret(revision=3, status="superseded"))
    assert "no revision of todo-app is deployed" in sub_charts.deployed(place.world).observed


def test_an_api_that_is_away_is_no_verdict(place: Place) -> None:
    place.api.away = True
    with pytest.raises(Unmeasurable):
        sub_charts.deployed(place.world)
