"""T077: the policies in force, by what they say and by the canary."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.checks.network import isolation
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.netpol.traffic.canary import Proof
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

Object = dict[str, Any]


def namespace(name: str) -> Object:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}


def pod(name: str, space: str = "todo") -> Object:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": space, "labels": {"app.kubernetes.io/name": name}},
        "spec": {"containers": []},
        "status": {"phase": "Running", "podIP": "10.1.0.5"},
    }


def policy(name: str, space: str = "todo", **spec: Any) -> Object:
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": space},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], **spec},
    }


def outcome(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, *objects: Object, lives: bool = False
) -> Any:
    def enforced(_world: Any) -> Proof:
        if lives:
            raise Unmeasurable("the cluster does not enforce policies")
        return Proof(1.0, 0.5)

    monkeypatch.setattr(isolation.canary, "enforced", enforced)
    return isolation.policies_in_force(world_of(settings, api=FakeApi(*objects), cluster=FakeCluster()))


WORLD = (namespace("todo"), namespace("todo-database"), pod("backend"), pod("postgres", "todo-database"))
GOOD = (*WORLD, policy("default-deny"), policy("default-deny", "todo-database"))


def test_isolated_pods_on_a_network_that_enforces(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = outcome(settings, monkeypatch, *GOOD)
    assert seen.status is Status.PASSED
    assert "2 policies isolate 2 pods" in seen.observed
    assert seen.evidence["deny"] == 1.0


def test_a_namespace_without_default_deny_fails_and_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = outcome(settings, monkeypatch, *WORLD, policy("default-deny"))
    assert seen.status is Status.FAILED
    assert "namespace todo-database has no policy" in seen.observed
    assert "networkpolicies" in seen.hint


def test_a_policy_for_nobody_fails(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    typo = policy("way", podSelector={"matchLabels": {"app.kubernetes.io/name": "bakcend"}})
    assert "todo/way selects no pod" in outcome(settings, monkeypatch, *GOOD, typo).observed


def test_a_network_that_does_not_enforce_is_unmeasurable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unmeasurable, match="does not enforce"):
        outcome(settings, monkeypatch, *GOOD, lives=True)


def test_no_pod_at_all_is_unmeasurable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unmeasurable, match="no running pod"):
        outcome(settings, monkeypatch, namespace("todo"), policy("default-deny"))


def test_pods_of_a_survey_are_left_out_of_account(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = pod("guest")
    guest["metadata"]["labels"] = {"todo.runbook/probe": "s"}
    assert outcome(settings, monkeypatch, *GOOD, guest).evidence["pods"] == 2


@pytest.mark.parametrize("phase", ["Succeeded", "Pending"])
def test_pods_that_do_not_run_are_left_out_of_account(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    done = pod("done")
    done["status"]["phase"] = phase
    assert outcome(settings, monkeypatch, *GOOD, done).evidence["pods"] == 2
