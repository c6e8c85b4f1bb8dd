"""Planting and restoring: whatever happens meanwhile, the world is as before."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from runbook.clients.kube.transport import Refused
from runbook.clients.process.ending import SIGNALS, undisturbed
from runbook.engine.errors import RunbookError, Unmeasurable, WrongCluster
from runbook.engine.settings import Settings
from runbook.faults.planting import MARK, Hands, Object, planted, sweep
from runbook.ownership import installation
from tests.fakes.worlds import FakeApi, world_of

POLICY: Object = ("NetworkPolicy", "default-deny", "todo")


def policy() -> dict[str, Any]:
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": "default-deny", "namespace": "todo", "labels": {"a": "b"}},
        "spec": {"podSelector": {}},
        "status": {"seen": True},
    }


def hands() -> tuple[Hands, FakeApi]:
    api = FakeApi(policy())
    return Hands(world_of(Settings(), api=api)), api


def spec(api: FakeApi) -> Any:
    return api.objects["NetworkPolicy", "todo", "default-deny"]["spec"]


def change(planter: Hands) -> None:
    planter.patch(POLICY, {"op": "replace", "path": "/spec/podSelector", "value": {"x": "y"}})


def test_a_change_is_there_and_then_undone() -> None:
    planter, api = hands()
    with planted(planter, change, objects=[POLICY]):
        assert spec(api) == {"podSelector": {"x": "y"}}
    assert spec(api) == {"podSelector": {}}
    assert "status" not in api.objects["NetworkPolicy", "todo", "default-deny"]


def test_what_was_deleted_is_made_again() -> None:
    planter, api = hands()
    with planted(planter, lambda each: each.remove(POLICY), objects=[POLICY]):
        assert ("NetworkPolicy", "todo", "default-deny") not in api.objects
    assert spec(api) == {"podSelector": {}}


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError])
def test_it_is_undone_whatever_ends_it(end: type[BaseException]) -> None:
    planter, api = hands()
    with pytest.raises(end), planted(planter, change, objects=[POLICY]):
        raise end
    assert spec(api) == {"podSelector": {}}


def test_it_is_undone_when_planting_stops_half_way() -> None:
    planter, api = hands()
    undone: list[str] = []

    def half(each: Hands) -> None:
        change(each)
        raise RunbookError("no room for the pod")

    with (
        pytest.raises(RunbookError, match="no room"),
        planted(planter, half, objects=[POLICY], undo=lambda _: undone.append("undone")),
    ):
        raise AssertionError("the fault is not there")
    assert spec(api) == {"podSelector": {}}
    assert undone == ["undone"]


def test_undo_comes_also_where_an_object_cannot_be_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    planter, api = hands()
    undone: list[str] = []

    def refuse(_: object) -> None:
        raise Refused("invalid", code=422)

    with (
        pytest.raises(Refused, match="invalid"),
        planted(planter, change, objects=[POLICY], undo=lambda _: undone.append("undone")),
    ):
        monkeypatch.setattr(api, "replace", refuse)
    assert undone == ["undone"]


def test_a_conflict_with_a_controller_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    planter, api = hands()
    answers = [Refused("the object has been modified", code=409)]
    replace = api.replace

    def once(manifest: dict[str, Any]) -> Any:
        if answers:
            raise answers.pop()
        return replace(manifest)

    with planted(planter, change, objects=[POLICY]):
        monkeypatch.setattr(api, "replace", once)
    assert spec(api) == {"podSelector": {}}
    assert answers == []


def test_nothing_is_planted_where_nothing_can_be_restored() -> None:
    planter, api = hands()
    with (
        pytest.raises(Unmeasurable, match="there is no Role backend"),
        planted(planter, change, objects=[("Role", "backend", "todo")]),
    ):
        raise AssertionError("planted")
    assert api.written == []


def test_another_cluster_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    planter, api = hands()

    def refuse() -> None:
        raise WrongCluster("the cluster that answers has uid 2; nothing was written")

    monkeypatch.setattr(api, "guard", refuse)
    with pytest.raises(WrongCluster):
        planter.create({"kind": "Pod", "metadata": {"name": "x", "namespace": "todo"}})
    assert api.written == []


def test_what_is_made_carries_a_mark_by_which_it_is_swept() -> None:
    planter, api = hands()
    planter.create({"kind": "Pod", "metadata": {"name": "mutant", "namespace": "todo"}})
    marks = {MARK: "true", **installation.labels(planter.world.settings)}
    assert api.objects["Pod", "todo", "mutant"]["metadata"]["labels"] == marks
    others = {MARK: "true", installation.LABEL: "0" * 32}
    api.put({"kind": "Pod", "metadata": {"name": "another", "namespace": "shop", "labels": others}})
    assert sweep(planter.world, ["Pod", "NetworkPolicy"]) == ["Pod mutant"]
    assert ("Pod", "todo", "mutant") not in api.objects
    assert ("Pod", "shop", "another") in api.objects
    assert ("NetworkPolicy", "todo", "default-deny") in api.objects


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interruption_waits_until_all_is_restored(number: signal.Signals) -> None:
    done: list[str] = []
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), undisturbed():
        os.kill(os.getpid(), number)
        done.append("restored")
    assert done == ["restored"]
    assert signal.getsignal(number) is before
