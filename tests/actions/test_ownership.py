"""What is somebody else's is refused before the first write, by whatever command: in one line that names it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from runbook import catalogue
from runbook.actions import ownership
from runbook.actions.package import release
from runbook.app.dapr import ownership as dapr_ownership
from runbook.cli import entry
from runbook.cli.guard import told
from runbook.engine.errors import Foreign
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Step, passed
from runbook.ownership import installation
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of


def space(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}


DEFINITION = {"kind": "CustomResourceDefinition", "metadata": {"name": "components.dapr.io"}}


def make(*there: dict[str, Any]) -> tuple[World, FakeApi]:
    api = FakeApi(*there)
    return world_of(Settings(), api=api, cluster=FakeCluster()), api


@pytest.mark.parametrize("foreign", [False, True])
@pytest.mark.parametrize(
    ("name", "namespace"),
    [("todo-app", "todo"), ("postgres", "todo-database"), ("offline-model", "todo-model")],
)
def test_a_foreign_release_is_refused_also_in_a_namespace_of_ours(
    name: str, namespace: str, foreign: bool
) -> None:
    world, api = make(
        space(namespace, installation.labels(Settings())),
        running.release_secret(name, namespace, installation="f" * 32 if foreign else "", digest="d" * 40),
    )
    with pytest.raises(Foreign, match=f"release {name} in namespace {namespace} was made by"):
        release.deploy(world)
    assert api.written == []


def test_what_is_ours_and_what_is_not_there_is_no_problem() -> None:
    world, _ = make(space("todo", installation.labels(Settings())), running.release_secret())
    ownership.before_writing(world, [release.refuse_foreign, dapr_ownership.refuse_foreign])


@pytest.mark.parametrize(
    ("step", "there", "words"),
    [
        ("T048", space("todo", {}), "namespace todo was not made by this installation"),
        ("T079", DEFINITION, "definition components.dapr.io was not made by this installation"),
    ],
)
def test_a_command_ends_before_its_first_step(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str, there: dict[str, Any], words: str
) -> None:
    world, api = make(there)
    before, begun = copy.deepcopy(api.objects), []

    def act(_: World) -> Outcome:
        begun.append(step)
        return passed("")

    monkeypatch.setattr(World, "of", lambda _, _changes=frozenset(): world)
    monkeypatch.setattr(
        catalogue, "STEPS", (Step("T001", "one", act), Step(step, "two", act, needs=("T001",)))
    )
    with pytest.raises(Foreign, match=words) as caught:
        entry.make(settings, "deploy", [step])
    assert (begun, api.objects, api.written) == ([], before, [])
    line, code = told(caught.value)
    assert code == 2 and "\n" not in line and "wanted: " in line and "try: " in line
    with pytest.raises(SystemExit) as ended:
        entry.make(settings, "build", ["T001"])
    assert ended.value.code == 0, "a command that does not touch it goes on"


def test_a_cluster_that_does_not_run_or_answer_is_left_to_the_steps() -> None:
    world, api = make(space("todo", {}))
    api.away = True
    ownership.before_writing(world, [release.refuse_foreign])
    world.cluster.running = False  # type: ignore[attr-defined]
    api.away = False
    ownership.before_writing(world, [release.refuse_foreign])


def test_the_way_out_gives_away_only_what_has_no_owner_and_names_the_cluster() -> None:
    world, _ = make()
    hints = {}
    for owner in ("", "f" * 32):
        labels = {installation.LABEL: owner} if owner else {}
        with pytest.raises(Foreign) as caught:
            ownership.refuse_namespace(world, space("todo", labels))
        hints[owner] = caught.value.hint
        assert "TODO_NAMESPACE=" in caught.value.hint and "delete" not in caught.value.hint
    given = f"--context todo label namespace todo {installation.LABEL}={installation.known(Settings())}"
    assert given in hints[""] and "kubectl --kubeconfig /state/kubeconfig" in hints[""]
    assert "label namespace" not in hints["f" * 32]
