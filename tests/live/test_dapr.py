"""Dapr on the deployed application: turned on once, kept by a deploy, and broken where it can break.

Each planted fault turns exactly its steps red, and people are served meanwhile as well as can be: `inv verify.mutants
dapr` says so of every one of them. The last test removes Dapr.
"""

from __future__ import annotations

import pytest
from commands import Answer, inv

from runbook.actions.dapr import dapr
from runbook.app import blueprint
from runbook.app.application import COMPONENTS, REDIS
from runbook.app.sidecars import INJECTOR, application_pods
from runbook.cli.entry import MESH
from runbook.clients.kube import workloads
from runbook.engine.settings import Settings
from runbook.faults import group
from runbook.faults.planting import MARK
from runbook.world import World


@pytest.fixture(scope="module")
def turned_on(deployed: Answer) -> Answer:
    return inv("dapr", "--json")


@pytest.fixture
def meshed(turned_on: Answer, settings: Settings) -> World:
    """Fresh clients for looking at the application with its sidecars."""
    assert turned_on.code == 0, turned_on.stderr
    return World.of(settings)


@pytest.mark.parametrize("step", MESH)
def test_each_step_passes(turned_on: Answer, step: str) -> None:
    found = {entry["id"]: entry for entry in turned_on.document["steps"]}[step]
    assert found["status"] == "passed", f"{found['observed']}; try: {found['hint']}"


def test_a_second_time_and_a_deploy_change_nothing(meshed: World) -> None:
    before = _uids(meshed)
    again = inv("dapr", "--json")
    assert again.code == 0, again.stderr
    assert not [entry["id"] for entry in again.document["steps"] if entry.get("changed")]
    deployed = inv("deploy", "--json")
    assert deployed.code == 0, deployed.stderr
    assert _uids(meshed) == before
    assert blueprint.mode(meshed) == blueprint.Mode(redis=True, dapr=True)


def test_every_mutant_is_killed(meshed: World, settings: Settings) -> None:
    answer = inv("verify.mutants", "dapr", "--json")
    assert answer.code == 0, answer.stderr
    verdicts = answer.document["mutants"]
    assert [each for each in verdicts if each["verdict"] not in ("killed", "harmless")] == []
    assert len(verdicts) == len(group("dapr", settings).mutants)


def test_nothing_planted_is_left(meshed: World) -> None:
    for kind in ("NetworkPolicy", "Configuration.dapr.io", "Deployment"):
        assert meshed.api.list(kind, labels=MARK) == []


def test_removed_it_leaves_the_application_without_sidecars_and_nothing_of_itself(meshed: World) -> None:
    removed = inv("dapr.remove")
    assert removed.code == 0, removed.stderr or removed.stdout
    assert dapr.left(meshed) == []
    assert meshed.api.get("MutatingWebhookConfiguration", INJECTOR) is None
    assert meshed.api.get("StatefulSet", REDIS, "todo") is None
    pods = application_pods(meshed)
    assert [workloads.ready_count(pod) for pod in pods] == ["1/1"] * len(COMPONENTS)
    assert meshed.http.get("/").status_code == 200
    assert inv("dapr.remove").code == 0


def _uids(world: World) -> dict[str, tuple[str, int]]:
    return {
        workloads.name(pod): (pod["metadata"]["uid"], workloads.restarts(pod))
        for pod in application_pods(world)
    }
