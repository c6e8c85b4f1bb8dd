"""The application with Dapr and without: a password that stays, Redis before sidecars, restarts only where needed."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.actions.cluster import rollout
from runbook.actions.dapr import dapr, mesh, redis
from runbook.actions.images import builds
from runbook.actions.package import release
from runbook.app import blueprint
from runbook.app.application import COMPONENTS
from runbook.app.dapr import redis as redis_secret
from runbook.app.sidecars import TRUST_BUNDLE
from runbook.engine.settings import Settings
from runbook.ownership import installation
from runbook.world import World
from tests.actions.package.test_release import IMAGES, FakeHelm
from tests.fakes import meshed, running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of


@pytest.fixture
def api() -> FakeApi:
    return FakeApi(*meshed.application(), *meshed.control_plane("1"), *meshed.redis())


@pytest.fixture
def world(settings: Settings, api: FakeApi) -> World:
    return world_of(settings, api=api, helm=FakeHelm(api), cluster=FakeCluster(IMAGES))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the release was asked to become."""
    found: list[Any] = []
    monkeypatch.setattr(release, "bring", lambda _, mode: found.append(mode))
    monkeypatch.setattr(release, "wait", lambda _: found.append("waited"))
    monkeypatch.setattr(builds, "load_into_cluster", lambda *_: lambda _: found.append("image"))
    return found


def test_a_password_is_made_once_and_kept(world: World, api: FakeApi) -> None:
    redis.ensure_secret(world)
    assert api.written == []
    del api.objects["Secret", "todo", "redis-auth"]
    redis.ensure_secret(world)
    made = redis_secret.password(world)
    assert len(made) >= 32
    redis.ensure_secret(world)
    assert redis_secret.password(world) == made


def test_redis_comes_before_dapr_and_leaves_the_mode_alone(
    world: World, api: FakeApi, asked: list[Any]
) -> None:
    redis.run(world)
    api.put(running.release_secret(values=meshed.VALUES))
    redis.run(world)
    assert asked == [
        "image",
        blueprint.Mode(redis=True),
        "image",
        blueprint.Mode(redis=True, dapr=True),
    ]


def test_a_pod_that_never_became_ready_gives_way(
    world: World, api: FakeApi, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    running.waiting(api.objects["Pod", "todo", "redis-0"], "CrashLoopBackOff", restarts=3)
    monkeypatch.setattr(redis, "wait", lambda _: None)
    redis.run(world)
    assert ("delete", "Pod", "redis-0") in api.written


def test_the_mode_is_read_from_the_release_that_was_deployed(world: World, api: FakeApi) -> None:
    assert blueprint.mode(world) == blueprint.Mode()
    api.put(running.release_secret(revision=1, values=meshed.VALUES))
    api.put(running.release_secret(revision=2, status="failed"))
    assert blueprint.mode(world) == blueprint.Mode(redis=True, dapr=True)


def test_the_blueprint_follows_the_mode(settings: Settings, api: FakeApi) -> None:
    held = FakeCluster(IMAGES | {"todo-redis:1.0.0": running.IMAGE})
    world = world_of(settings, api=api, cluster=held)
    plain = blueprint.application(world, blueprint.Mode())
    both = blueprint.application(world, blueprint.Mode(redis=True, dapr=True))
    assert plain.digest != both.digest
    given = both.values.overrides
    assert given
    assert given["global"]["dapr"] == {"enabled": True}
    assert given["redis"]["enabled"] is True
    assert given["backend"]["podAnnotations"]["todo.runbook/state-store"]
    assert "redis" not in (plain.values.overrides or {})


def test_fresh_sidecars_are_not_restarted(world: World, api: FakeApi, asked: list[Any]) -> None:
    mesh.join(world)
    assert asked == [blueprint.Mode(redis=True, dapr=True), "waited"]
    assert api.written == []


def test_sidecars_of_an_earlier_control_plane_are_made_anew(
    world: World, api: FakeApi, asked: list[Any]
) -> None:
    api.objects["ConfigMap", "dapr-system", TRUST_BUNDLE]["data"]["ca.crt"] = "others"
    mesh.join(world)
    assert sorted(api.written) == sorted(("apply", "Deployment", each.name) for each in COMPONENTS)


def test_leaving_takes_the_sidecars_out_first(
    world: World, api: FakeApi, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(running.release_secret(values=meshed.VALUES))
    api.put(
        {"kind": "Namespace", "metadata": {"name": "todo", "labels": installation.labels(world.settings)}}
    )
    monkeypatch.setattr(dapr, "remove", lambda _: asked.append("removed") or [])
    assert mesh.leave(world) == []
    assert asked == [blueprint.Mode(), "waited", "removed"]
    assert api.get("Secret", "redis-auth", "todo") is None


def test_leaving_leaves_alone_what_is_not_ours(world: World, api: FakeApi, asked: list[Any]) -> None:
    """The application and its Dapr were made by somebody else, under the same names."""
    api.put(running.release_secret(values=meshed.VALUES, installation=""))
    api.put({"kind": "Namespace", "metadata": {"name": "todo", "labels": {}}})
    before = dict(api.objects)
    assert mesh.leave(world) == []
    assert (asked, api.written, api.objects) == ([], [], before)


def test_waiting_for_redis_is_a_watch(world: World, api: FakeApi) -> None:
    redis.wait(world)
    api.objects["StatefulSet", "todo", "redis"]["status"]["readyReplicas"] = 0
    with pytest.raises(rollout.TimedOut, match="StatefulSet redis: 0 of 1 ready"):
        rollout.settle(world, "todo", labels=redis_secret.SELECTOR, names=("redis",), timeout=0.5)
