"""Least rights, locked-down containers and enforced standards: proven on the deployed application, then broken.

Each planted fault turns exactly its steps red: `inv verify.mutants security` says so of every one of them.
"""

from __future__ import annotations

import json

import pytest
from commands import Answer, inv

from runbook.checks.security import processes
from runbook.checks.security.inside import Process, ways
from runbook.engine.settings import Settings
from runbook.faults import group
from runbook.world import World

STEPS = tuple(f"T{number:03d}" for number in range(55, 77))


@pytest.fixture(scope="module")
def secured(deployed: Answer) -> Answer:
    return inv("verify.security", "--json")


@pytest.mark.parametrize("step", STEPS)
def test_the_deployed_application_is_secured(secured: Answer, step: str) -> None:
    found = {entry["id"]: entry for entry in secured.document["steps"]}[step]
    assert found["status"] == "passed", (
        f"{found['observed']}; wanted: {found['wanted']}; try: {found['hint']}"
    )


def test_it_is_asked_without_a_change(secured: Answer) -> None:
    assert not any(step["changed"] for step in secured.document["steps"])


def test_each_way_of_looking_sees_the_same_process(world: World) -> None:
    """A container without a shell is seen by its interpreter, one without either from the node: all agree."""
    for container in processes.of_namespace(world):
        answers = [look() for _, look in ways(world, container)]
        seen = [each for each in answers if isinstance(each, Process)]
        assert len(seen) >= 2, f"{container.title} was not seen in two ways"
        assert all(each == seen[0] for each in seen), seen


def test_every_mutant_is_killed(deployed: Answer, settings: Settings) -> None:
    answer = inv("verify.mutants", "security", "--json")
    verdicts = json.loads(answer.stdout)
    survivors = [each for each in verdicts["mutants"] if each["verdict"] not in ("killed", "harmless")]
    assert survivors == []
    assert answer.code == 0
    assert verdicts["killed"] == verdicts["planted"] >= 30
    assert len(verdicts["mutants"]) == len(group("security", settings).mutants)


def test_nothing_planted_is_left(world: World) -> None:
    for kind in ("Pod", "RoleBinding", "ClusterRoleBinding", "NetworkPolicy"):
        assert world.api.list(kind, labels="todo.runbook/planted") == []
