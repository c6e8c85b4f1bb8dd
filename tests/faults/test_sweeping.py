"""What a killed run left planted is put back by the next one, as it was written down before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from runbook import faults
from runbook.clients.kube.kinds import NotServed
from runbook.clients.kube.transport import Refused
from runbook.engine.errors import RunbookError
from runbook.engine.settings import Settings
from runbook.faults import Group, Mutant, sweeping
from runbook.faults.planting import NOTE, Hands, Notes, Object, planted
from runbook.ownership import installation
from runbook.world import World
from tests.fakes.worlds import FakeApi, world_of

POLICY: Object = ("NetworkPolicy", "default-deny", "todo")
SYSTEM = {
    "apiVersion": "dapr.io/v1alpha1",
    "kind": "Configuration",
    "metadata": {"name": "daprsystem", "namespace": "todo"},
}
BINDING = {"kind": "ClusterRoleBinding", "metadata": {"name": "mutant"}, "roleRef": {"name": "cluster-admin"}}


def policy() -> dict[str, Any]:
    metadata = {"name": "default-deny", "namespace": "todo", "labels": {"a": "b"}}
    return {"kind": "NetworkPolicy", "metadata": metadata, "spec": {"podSelector": {}}}


@pytest.fixture
def api() -> FakeApi:
    return FakeApi(policy())


@pytest.fixture
def world(api: FakeApi) -> World:
    return world_of(Settings(), api=api)


def notes(api: FakeApi) -> list[str]:
    return [
        name for (kind, _, name), each in api.objects.items() if NOTE in each["metadata"].get("labels", {})
    ]


class Killed(BaseException):
    """Nothing is restored after it, as after kill -9."""


@contextmanager
def killed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Hands, "restore", lambda *_: None)
        patch.setattr(Notes, "remove", lambda *_: None)
        yield


def weaken(hands: Hands) -> None:
    hands.patch(POLICY, {"op": "replace", "path": "/spec/podSelector", "value": {"x": "y"}})


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (weaken, "NetworkPolicy default-deny in namespace todo"),
        (lambda hands: hands.remove(POLICY), "NetworkPolicy default-deny in namespace todo"),
        (lambda hands: hands.create(BINDING), "ClusterRoleBinding mutant"),
        (lambda hands: hands.create(SYSTEM), "Configuration.dapr.io daprsystem in namespace todo"),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_each_change_is_undone_by_the_next_run_and_told(
    api: FakeApi,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[Hands], None],
    words: str,
    declared: bool,
) -> None:
    """Also of objects that a mutant changes without having named them."""
    with killed(monkeypatch), planted(Hands(world), plant, objects=[POLICY] if declared else []):
        raise Killed
    assert notes(api)
    assert words in sweeping.sweep(world)
    assert api.objects["NetworkPolicy", "todo", "default-deny"]["spec"] == {"podSelector": {}}
    assert ("ClusterRoleBinding", "", "mutant") not in api.objects
    assert not notes(api) and sweeping.sweep(world) == []


def test_the_original_is_written_down_before_the_change(api: FakeApi, world: World) -> None:
    with planted(Hands(world), weaken):
        written = [(verb, kind) for verb, kind, _ in api.written]
        assert written.index(("create", "Secret")) < written.index(("patch", "NetworkPolicy"))
    assert not notes(api)


def test_where_it_cannot_be_written_down_nothing_is_planted(
    api: FakeApi, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Refused("no", code=403)

    monkeypatch.setattr(api, "create", refuse)
    with pytest.raises(Refused), planted(Hands(world), weaken):
        pass
    assert api.objects["NetworkPolicy", "todo", "default-deny"]["spec"] == {"podSelector": {}}


def test_a_fault_outside_of_objects_is_undone_by_its_own_undo(
    api: FakeApi, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    undone: list[str] = []
    mutant = Mutant("a right too many", frozenset(), lambda _: None, undo=lambda _: undone.append("revoked"))
    group = Group("database", (), (replace(mutant, name="another", undo=None), mutant))
    monkeypatch.setattr(faults, "group", lambda _name, _settings: group)
    with killed(monkeypatch), planted(Hands(world), mutant.plant, name="database/a right too many"):
        raise Killed
    assert not undone and not notes(api)  # without an undo there is nothing to write down
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Notes, "remove", lambda *_: None)
        with planted(Hands(world), mutant.plant, undo=lambda _: None, name="database/a right too many"):
            raise Killed
    assert sweeping.sweep(world) == ["the fault database/a right too many"]
    assert undone == ["revoked"]


def test_what_another_installation_planted_is_left_alone(
    api: FakeApi, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed(monkeypatch), planted(Hands(world), weaken):
        raise Killed
    for name in notes(api):
        api.objects["Secret", "todo", name]["metadata"]["labels"][installation.LABEL] = "f" * 32
    assert sweeping.sweep(world) == []
    assert notes(api)


def test_what_cannot_be_put_back_keeps_its_note(
    api: FakeApi, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed(monkeypatch), planted(Hands(world), weaken):
        raise Killed

    def refuse(*_: object) -> None:
        raise Refused("forbidden", code=403)

    with monkeypatch.context() as patch:
        patch.setattr(api, "replace", refuse)
        with pytest.raises(
            RunbookError, match="NetworkPolicy default-deny in namespace todo could not be put back"
        ):
            sweeping.sweep(world)
    assert notes(api)
    assert sweeping.sweep(world)


@pytest.mark.parametrize("content", ["", "x", "bnVsbA=="])
def test_a_damaged_note_is_passed_over(api: FakeApi, world: World, content: str) -> None:
    labels = {NOTE: "true", **installation.labels(world.settings)}
    metadata = {"name": "planted-x", "namespace": "todo", "labels": labels}
    api.put({"kind": "Secret", "metadata": metadata, "data": {"note": content}})
    assert sweeping.sweep(world) == []
    assert json.dumps(content)


def test_what_was_planted_went_with_its_definition(
    api: FakeApi, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dapr was removed since, with its definitions: there is nothing to remove, and later runs are not stopped."""
    with killed(monkeypatch), planted(Hands(world), lambda hands: hands.create(SYSTEM)):
        raise Killed
    refuse = FakeApi._served

    def served(kind: str) -> str:
        if kind.startswith("Configuration"):
            raise NotServed(f"the cluster serves no kind {kind}")
        return refuse(kind)

    monkeypatch.setattr(api, "_served", served)
    assert sweeping.sweep(world) == ["Configuration.dapr.io daprsystem in namespace todo"]
    assert sweeping.sweep(world) == notes(api) == []
