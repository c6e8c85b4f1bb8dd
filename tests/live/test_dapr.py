"""Dapr on the deployed application: turned on once, kept by a deploy, and broken where it can break.

Each planted fault turns exactly its steps red: `inv verify.mutants dapr` says so of every one of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from commands import Answer, inv
from planting import READY, Fault, Hands, planted

from runbook import blueprint
from runbook.application import BACKEND, SIDECAR_PORT, STATE_STORE
from runbook.attempt import attempt
from runbook.catalogue import find
from runbook.drills.mutants import group
from runbook.drills.planting import MARK
from runbook.entry import MESH, journal_of
from runbook.events import Mode
from runbook.settings import Settings
from runbook.sidecars import application_pods
from runbook.waiting import NotYet, eventually
from runbook.world import World, workloads

# Steps go by their place in the list here: some of their ids are printed for two steps.
INJECTOR = ("Deployment", "dapr-sidecar-injector", "dapr-system")


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


def test_a_redis_that_starts_over_empty_is_found_again(meshed: World) -> None:
    """Nobody restarts anything: the sidecar connects anew, and what was stored is gone, as it is said to be."""
    before = _uids(meshed)
    _state(meshed, lambda base: _stored(base, "kept"))
    pod = meshed.api.list("Pod", "todo", labels="app.kubernetes.io/name=redis")[0]
    meshed.api.delete("Pod", workloads.name(pod), "todo", uid=pod["metadata"]["uid"])
    _green("85", meshed)
    _state(meshed, lambda base: _stored(base, "again"))
    _state(meshed, lambda base: _is_gone(base, "kept"))
    assert _uids(meshed) == before


def test_without_the_injector_no_pod_starts_and_the_reason_is_told(meshed: World) -> None:
    def plant(hands: Hands) -> None:
        hands.scale(INJECTOR, 0)
        hands.kubectl(
            "-n", "todo", "delete", "pod", "-l", "app.kubernetes.io/name=mcp-server", "--wait=false"
        )

    fault = Fault("injector down", {}, plant, objects=(INJECTOR,))
    with planted(fault, meshed):
        eventually(
            lambda: _refused(meshed),
            timeout=60,
            wanted="the webhook named as the reason",
            hint="kubectl -n todo get events",
        )
        outcome = attempt(find("80"), meshed, mode=Mode.VERIFY, journal=journal_of(meshed.settings)).outcome
        assert "Deployment dapr-sidecar-injector is scaled to 0" in outcome.observed
    _green("80", meshed)
    _green("88", meshed)


def test_every_mutant_is_killed(meshed: World, settings: Settings) -> None:
    answer = inv("verify.mutants", "dapr", "--json")
    assert answer.code == 0, answer.stderr
    verdicts = answer.document["mutants"]
    assert [each for each in verdicts if each["verdict"] != "killed"] == []
    assert len(verdicts) == len(group("dapr", settings).mutants)


def test_nothing_planted_is_left(meshed: World) -> None:
    for kind in ("NetworkPolicy", "Configuration.dapr.io"):
        assert meshed.api.list(kind, labels=MARK) == []


def _uids(world: World) -> dict[str, tuple[str, int]]:
    return {
        workloads.name(pod): (pod["metadata"]["uid"], workloads.restarts(pod))
        for pod in application_pods(world)
    }


def _green(step: str, world: World) -> None:
    def look() -> None:
        world.clients.memory.forget()
        outcome = attempt(find(step), world, mode=Mode.VERIFY, journal=journal_of(world.settings)).outcome
        if not outcome.green:
            raise NotYet(outcome.observed)

    eventually(look, timeout=READY, wanted=f"step {step} green", hint=f"inv verify.step {step}")


def _refused(world: World) -> None:
    told = [str(event.get("message", "")) for event in world.api.events("todo")]
    if not any('failed calling webhook "sidecar-injector.dapr.io"' in message for message in told):
        raise NotYet(json.dumps(told[-3:]))


def _state(world: World, ask: Callable[[str], None]) -> None:
    """Ask the state API of the backend's sidecar, until the answer is the wanted one."""
    pod = next(each for each in application_pods(world) if workloads.component(each) == BACKEND.name)

    def look() -> None:
        with world.api.port_forward(workloads.name(pod), SIDECAR_PORT, "todo") as port:
            try:
                ask(f"http://127.0.0.1:{port}/v1.0/state/{STATE_STORE}")
            except httpx.HTTPError as problem:
                raise NotYet(repr(problem)) from None

    eventually(look, timeout=READY, wanted="the state store answers", hint="inv verify.step 85")


def _stored(base: str, key: str) -> None:
    value = {"key": key, "value": key, "metadata": {"ttlInSeconds": "600"}}
    httpx.post(base, json=[value], timeout=10.0, trust_env=False).raise_for_status()
    answer = httpx.get(f"{base}/{key}", timeout=10.0, trust_env=False)
    if answer.text != f'"{key}"':
        raise NotYet(f"{answer.status_code} {answer.text}")


def _is_gone(base: str, key: str) -> None:
    answer = httpx.get(f"{base}/{key}", timeout=10.0, trust_env=False)
    if answer.status_code != 204:
        raise NotYet(f"{answer.status_code} {answer.text}")
