"""T071: the secured chart is what is deployed, and nobody added rights or ways beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.app.application import COMPONENTS
from runbook.checks.cluster import deployed as release
from runbook.cluster.embedded import addons
from runbook.cluster.embedded.addresses import Addresses
from runbook.cluster.embedded.configuration import Configuration
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status, failed, passed
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, Object, world_of

HOOK = {"kind": "NetworkPolicy", "metadata": {"name": "migrations-to-database", "namespace": "todo"}}


def named(kind: str, name: str) -> Object:
    return {"kind": kind, "metadata": {"name": name, "namespace": "todo"}}


def guards() -> list[Object]:
    return [
        *(named("ServiceAccount", f"{component.name}-sa") for component in COMPONENTS),
        *(named(kind, each.name) for kind in ("Role", "RoleBinding") for each in COMPONENTS),
        named("NetworkPolicy", "default-deny"),
    ]


def deployed(
    monkeypatch: pytest.MonkeyPatch, *extra: Object, objects: list[Object] | None = None
) -> tuple[World, FakeApi]:
    """A current release of these objects, which are there, with others beside them."""
    installed = guards() if objects is None else objects
    api = FakeApi(*installed, *extra, running.release_secret(objects=installed, hooks=[HOOK]))
    monkeypatch.setattr(release, "current", lambda _: passed("revision 1 is deployed"))
    return world_of(Settings(), api=api), api


def test_the_secured_release_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = deployed(monkeypatch)
    outcome = release.secured(world)
    assert outcome.status is Status.PASSED
    assert "3 Role, 3 RoleBinding, 1 NetworkPolicy" in outcome.observed


@pytest.mark.parametrize("number", range(len(guards())))
def test_a_release_without_one_of_its_guards_is_not_secured(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    objects = guards()
    lost = objects.pop(number)
    world, _ = deployed(monkeypatch, objects=objects)
    outcome = release.secured(world)
    assert outcome.status is Status.FAILED
    assert f"the release holds no {lost['kind']} {lost['metadata']['name']}" in outcome.observed


@pytest.mark.parametrize("kind", release.GUARDED)
def test_what_somebody_added_is_told(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    world, _ = deployed(monkeypatch, named(kind, "extra"))
    outcome = release.secured(world)
    assert outcome.status is Status.FAILED
    assert outcome.observed == f"{kind} extra is none of the release's"


def test_the_objects_of_a_hook_are_the_releases_own(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = deployed(monkeypatch, HOOK)
    assert release.secured(world).green


def test_a_release_that_is_not_current_is_not_secured(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = deployed(monkeypatch)
    monkeypatch.setattr(release, "current", lambda _: failed("drift", wanted="none", hint="inv deploy"))
    outcome = release.secured(world)
    assert (outcome.status, outcome.observed) == (Status.FAILED, "drift")


def test_without_the_api_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    world, api = deployed(monkeypatch)
    api.away = True
    with pytest.raises(Unmeasurable):
        release.secured(world)


def test_a_release_whose_record_is_damaged_is_unmeasurable(monkeypatch: pytest.MonkeyPatch) -> None:
    world, api = deployed(monkeypatch)
    secret: dict[str, Any] = api.objects["Secret", "todo", "sh.helm.release.v1.todo-app.v1"]
    secret["data"]["release"] = "bm90IGEgcmVjb3Jk"
    with pytest.raises(Unmeasurable, match="cannot be read"):
        release.secured(world)


def the_controllers(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """What the embedded node adds to the namespace, as it is rendered."""
    place = Configuration("test", tmp_path / "node", Addresses(100), "pause:1")
    found = addons.manifests(addons.INGRESS, place, {"traefik": "traefik:1"}, addons.Served("todo", "1"))
    return {each["kind"]: each for each in found if each["metadata"].get("namespace") == "todo"}


def test_the_ingress_controller_may_read_the_namespace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    added = the_controllers(tmp_path)
    assert set(added) == {"Role", "RoleBinding"}
    world, _ = deployed(monkeypatch, *added.values())
    assert release.secured(world).status is Status.PASSED


@pytest.mark.parametrize("kind", ["Role", "RoleBinding"])
def test_and_under_its_name_nobody_else_anything_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    added = the_controllers(tmp_path)
    if kind == "Role":
        added["Role"]["rules"][0]["verbs"].append("create")
    else:
        added["RoleBinding"]["subjects"].append(added["RoleBinding"]["subjects"][0] | {"name": "default"})
    world, _ = deployed(monkeypatch, *added.values())
    outcome = release.secured(world)
    assert outcome.status is Status.FAILED
    assert outcome.observed == f"{kind} ingress-controller is none of the release's"
