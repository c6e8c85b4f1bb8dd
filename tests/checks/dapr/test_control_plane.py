"""Dapr's control plane: as pinned, ready, closed when it fails, with an issuer that lasts; from public data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.app.dapr import control_plane as dapr
from runbook.app.dapr import source as dapr_source
from runbook.app.sidecars import INJECTOR, TRUST_BUNDLE
from runbook.checks.dapr import control_plane
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import meshed, running
from tests.fakes.recorded import Recorded
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

VERSION = dapr_source.version()


@pytest.fixture
def api() -> FakeApi:
    return FakeApi(*meshed.control_plane(VERSION))


@pytest.fixture
def world(settings: Settings, api: FakeApi) -> World:
    return world_of(settings, api=api, cluster=FakeCluster(), commands=Recorded({}))


def test_a_control_plane_that_is_as_it_should_be(world: World) -> None:
    outcome = control_plane.ready(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "3 pods" in outcome.observed
    assert "364 days" in outcome.observed or "365 days" in outcome.observed


def test_a_service_that_is_not_ready_is_named(world: World, api: FakeApi) -> None:
    running.waiting(api.objects["Pod", "dapr-system", "dapr-sentry-1"], "CrashLoopBackOff")
    outcome = control_plane.ready(world)
    assert outcome.status is Status.FAILED
    assert "dapr-sentry-1" in outcome.observed
    assert "CrashLoopBackOff" in outcome.observed


def test_a_service_that_is_missing_or_of_another_version_is_named(world: World, api: FakeApi) -> None:
    del api.objects["Deployment", "dapr-system", "dapr-operator"]
    api.put(meshed.service("dapr-sentry", "1.12.0"))
    outcome = control_plane.ready(world)
    assert "there is no Deployment dapr-operator" in outcome.observed
    assert "Deployment dapr-sentry is of version 1.12.0" in outcome.observed


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("failurePolicy", "Ignore", "failurePolicy Ignore, not Fail"),
        ("namespaceSelector", {}, "is not for namespace todo alone"),
        ("clientConfig", {}, "has no CA bundle"),
    ],
)
def test_a_webhook_that_lets_pods_slip_through(
    world: World, api: FakeApi, field: str, value: Any, words: str
) -> None:
    hook = api.objects["MutatingWebhookConfiguration", "", INJECTOR]["webhooks"][0]
    hook[field] = value
    outcome = control_plane.ready(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_no_webhook_at_all(world: World, api: FakeApi) -> None:
    del api.objects["MutatingWebhookConfiguration", "", INJECTOR]
    assert f"there is no webhook {INJECTOR}" in control_plane.ready(world).observed


def test_an_issuer_that_ends_soon(world: World, api: FakeApi) -> None:
    for each in meshed.trust_bundle(days=20):
        api.put(each)
    outcome = control_plane.ready(world)
    assert outcome.status is Status.FAILED
    assert "the issuer's certificate ends at" in outcome.observed


def test_an_issuer_that_cannot_be_read_is_no_verdict(world: World, api: FakeApi) -> None:
    api.objects["Secret", "dapr-system", TRUST_BUNDLE]["data"] = {}
    with pytest.raises(Unmeasurable, match="holds no certificate of the issuer"):
        control_plane.ready(world)


def test_an_installation_without_problems(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dapr, "problems", lambda _: [])
    source = dapr_source.Source(VERSION, Path("chart"))
    monkeypatch.setattr(dapr_source, "source", lambda _: source)
    assert control_plane.installed(world).observed == f"Dapr {VERSION} is deployed in namespace dapr-system"
    source = dapr_source.Source(VERSION, Path("chart"), "todo.runbook/dapr:1")
    assert f"Dapr {VERSION}, built from its Go module, is deployed" in control_plane.installed(world).observed


def test_an_installation_with_problems_names_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dapr, "problems", lambda _: ["this", "that"])
    outcome = control_plane.installed(world)
    assert (outcome.status, outcome.observed, outcome.hint) == (Status.FAILED, "this; that", "inv dapr")


def test_what_is_not_built_yet_is_a_failure_that_inv_dapr_mends(world: World, api: FakeApi) -> None:
    api.objects.clear()
    outcome = control_plane.installed(world)
    assert outcome.status is Status.FAILED
    assert f"Dapr {VERSION} is not built yet" in outcome.observed


def test_a_cluster_that_is_away_is_no_verdict(
    world: World, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.away = True
    monkeypatch.setattr(dapr, "problems", lambda w: w.api.get("Namespace", "todo"))
    with pytest.raises(Unmeasurable, match="does not answer"):
        control_plane.installed(world)


def test_the_cli_has_to_agree_where_it_speaks_of_our_cluster(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_plane.dapr_cli, "speaks_of_our_cluster", lambda *_: True)
    monkeypatch.setattr(control_plane.dapr_cli, "unhealthy", lambda *_: [])
    assert control_plane.ready(world).green
    monkeypatch.setattr(
        control_plane.dapr_cli, "unhealthy", lambda *_: ["`dapr status` says of dapr-sentry: False"]
    )
    assert control_plane.ready(world).observed == "`dapr status` says of dapr-sentry: False"
