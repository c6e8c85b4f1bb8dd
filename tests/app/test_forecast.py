"""What a deploy would write: from Helm's dry run, what is there, and the server's own answer."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runbook.app import forecast
from runbook.app.blueprint import Blueprint
from runbook.app.forecast import Forecast
from runbook.clients.helm import Values
from runbook.clients.kube.reviews import Admission
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.world import World
from tests.fakes.worlds import FakeApi, world_of

WANTED = Blueprint("todo-app", "todo", Path("chart"), Values((), {}), "new")


def deployment(image: str) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "backend", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "backend"},
        "spec": {"replicas": 1, "template": template},
    }


def service(port: int = 80) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "backend"},
        "spec": {"ports": [{"port": port}]},
    }


class Cluster:
    """What is live, what the last release installed, and what Helm would render now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api = FakeApi({"kind": "Namespace", "metadata": {"name": "todo"}})
        self.answer = Admission(True, "")
        self.api.reviews = SimpleNamespace(applied=lambda _: self.answer)  # type: ignore[attr-defined]
        self.new: list[dict[str, Any]] = []
        self.old: list[dict[str, Any]] = []
        self.current = False
        monkeypatch.setattr(forecast, "newest", lambda *_: SimpleNamespace(manifest=lambda: self.old))
        monkeypatch.setattr(forecast, "is_current", lambda *_: self.current)

    def live(self, *things: dict[str, Any]) -> None:
        for each in copy.deepcopy(things):
            each["metadata"]["namespace"] = "todo"
            self.api.put(each)

    def world(self) -> World:
        helm = SimpleNamespace(dry_run=lambda *_, **__: (self.new, []))
        return world_of(Settings(), api=self.api, helm=helm)

    def found(self) -> list[Forecast]:
        found = list(forecast.of_release(self.world(), WANTED))
        assert self.api.written == []
        return found


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(monkeypatch)


def test_a_release_as_it_should_be_is_not_written(cluster: Cluster) -> None:
    cluster.current = True
    cluster.new = [deployment("b:1")]
    assert cluster.found() == []


def test_without_its_namespace_all_is_created(cluster: Cluster) -> None:
    cluster.api.objects.clear()
    cluster.new = [deployment("b:1"), service()]
    assert [(each.verb, each.kind) for each in cluster.found()] == [
        ("create", "Deployment"),
        ("create", "Service"),
    ]


def test_what_changes_is_named_with_the_difference_and_what_stays_is_not(cluster: Cluster) -> None:
    cluster.live(deployment("b:1"), service())
    cluster.old, cluster.new = [deployment("b:1"), service()], [deployment("b:2"), service()]
    (change,) = cluster.found()
    assert (change.verb, change.kind, change.recreates_pods, change.refused) == (
        "change",
        "Deployment",
        True,
        False,
    )
    assert "image is b:1, the release says b:2" in change.why


def test_what_somebody_changed_by_hand_is_put_back(cluster: Cluster) -> None:
    cluster.live(deployment("b:1"), service(8080))
    cluster.old = cluster.new = [deployment("b:1"), service()]
    assert [(each.verb, each.kind, each.recreates_pods) for each in cluster.found()] == [
        ("change", "Service", False)
    ]


def test_a_field_that_the_chart_gives_up_is_a_change(cluster: Cluster) -> None:
    before = deployment("b:1")
    before["spec"]["minReadySeconds"] = 5
    cluster.live(before)
    cluster.old, cluster.new = [before], [deployment("b:1")]
    assert [each.why for each in cluster.found()] == ["the manifest changed"]


def test_what_is_no_longer_of_the_chart_is_deleted_where_it_is_there(cluster: Cluster) -> None:
    cluster.live(service())
    gone = {**service(), "metadata": {"name": "gone"}}
    cluster.old, cluster.new = [service(), gone], []
    assert [(each.verb, each.name) for each in cluster.found()] == [("delete", "backend")]


def test_what_the_server_would_refuse_says_so_in_its_words(cluster: Cluster) -> None:
    cluster.live(deployment("b:1"))
    cluster.old, cluster.new = [deployment("b:1")], [deployment("b:2")]
    cluster.answer = Admission(False, "field is immutable")
    assert [(each.refused, each.why) for each in cluster.found()] == [(True, "field is immutable")]


def test_a_cluster_that_is_away_is_no_empty_forecast(cluster: Cluster) -> None:
    cluster.api.away = True
    with pytest.raises(Unmeasurable):
        cluster.found()


def test_drift_is_all_of_it_by_release(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "_wanted", lambda _: [WANTED])
    cluster.old = [{**service(), "metadata": {"name": f"s{number}"}} for number in range(9)]
    assert len(forecast.drift(cluster.world())["todo-app"]) == 9
    cluster.live(*cluster.old)
    assert forecast.drift(cluster.world()) == {"todo-app": []}
    monkeypatch.setattr(forecast, "newest", lambda *_: None)
    assert forecast.drift(cluster.world()) == {"todo-app": ["there is no release todo-app in namespace todo"]}
