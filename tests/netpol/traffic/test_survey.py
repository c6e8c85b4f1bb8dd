"""A survey measured against a network that a test invents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from runbook.checks.network.isolation import verdict_of
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status
from runbook.netpol.listeners import Listener
from runbook.netpol.policies import pod_end, verdict
from runbook.netpol.traffic import probes
from runbook.netpol.traffic.outside import Outside
from runbook.netpol.traffic.probes import Seen, Try
from runbook.netpol.traffic.reach import PYTHON, Way
from runbook.netpol.traffic.scene import Place, Scene
from runbook.netpol.traffic.survey import Survey
from runbook.netpol.truth import Mode
from runbook.world import World
from tests.fakes.worlds import FakeApi, FakeCluster, world_of
from tests.netpol.traffic.test_scene import pod

ADDRESSES = {"frontend": "10.1.0.5", "backend": "10.1.0.6", "neighbour": "10.1.0.7"}
PORTS = {"frontend": 3000, "backend": 8000, "neighbour": 7777}
SPACE = {"kubernetes.io/metadata.name": "todo"}
PLACES = {}
for name, address in ADDRESSES.items():
    each = pod(name, app=name)
    each["status"]["podIP"] = address
    PLACES[name] = Place(
        name, pod_end(each, SPACE), each, Way(name, "todo", PYTHON, "main"), (Listener(PORTS[name]),)
    )


def policy(name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": "todo"}, "spec": spec}


def app(name: str) -> dict[str, Any]:
    return {"matchLabels": {"app.kubernetes.io/name": name}}


DENY = policy("default-deny", podSelector={}, policyTypes=["Ingress", "Egress"])
OUT = policy(
    "out",
    podSelector=app("frontend"),
    policyTypes=["Egress"],
    egress=[{"to": [{"podSelector": app("backend")}], "ports": [{"port": 8000}]}],
)
IN = policy(
    "in",
    podSelector=app("backend"),
    policyTypes=["Ingress"],
    ingress=[{"from": [{"podSelector": app("frontend")}], "ports": [{"port": 8000}]}],
)
GOOD = (DENY, OUT, IN)


def network(policies: Sequence[dict[str, Any]]) -> Callable[[World, Way, Sequence[Try]], list[Seen]]:
    """A network that does exactly what policies say."""
    ends = {place.end.address: place.end for place in PLACES.values()}

    def run(_world: World, way: Way, tries: Sequence[Try]) -> list[Seen]:
        source = PLACES[way.pod].end

        def one(asked: Try) -> Seen:
            end = ends[asked.host]
            if not verdict(policies, source, end, asked.port, asked.protocol).allowed:
                return Seen.TIMEOUT
            return Seen.OPEN if asked.port in PORTS.values() else Seen.REFUSED

        return [one(each) for each in tries]

    return run


def measured(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    run: Any,
    policies: Sequence[dict[str, Any]] = GOOD,
    places: Sequence[Place] = tuple(PLACES.values()),
) -> Outcome:
    monkeypatch.setattr(probes, "run", run)
    world = world_of(settings, api=FakeApi(*policies), cluster=FakeCluster())
    scene = Scene(Mode.DIRECT, tuple(places), (), tuple(policies), (), ())
    return verdict_of(Survey(world, scene, Outside("no stand-ins here"), 0.0).measure())


def test_a_network_that_follows_good_policies_has_no_difference(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = measured(settings, monkeypatch, network(GOOD))
    assert seen.status is Status.UNPROVEN, "the outside was not stood in for, and that is said"
    assert "ways are as they should be, but no stand-ins here" in seen.observed


def test_policies_that_differ_from_the_table_fail(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = measured(settings, monkeypatch, network((DENY, OUT)), (DENY, OUT))
    assert seen.status is Status.FAILED
    assert seen.observed == (
        "frontend to backend:8000 by pod: must be open, but the policies forbid it "
        "(egress allowed by todo/out, ingress denied by todo/default-deny)"
    )


def test_a_network_that_differs_from_its_policies_fails(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = measured(settings, monkeypatch, network(()))
    assert seen.status is Status.FAILED
    assert "must be closed, and was OPEN" in seen.observed


def test_a_source_that_cannot_be_asked_is_unproven(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = network(GOOD)

    def run(world: World, way: Way, tries: Sequence[Try]) -> list[Seen]:
        if way.pod == "neighbour":
            raise Unmeasurable("no interpreter")
        return good(world, way, tries)

    seen = measured(settings, monkeypatch, run)
    assert seen.status is Status.UNPROVEN
    reasons = seen.evidence["matrix"]["cells"]["neighbour frontend:3000"]["reasons"]
    assert reasons == ["neighbour to frontend:3000 by pod: no interpreter"]


def test_a_pod_without_a_way_in_is_unproven_and_says_why(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Place(
        "neighbour", PLACES["neighbour"].end, {}, None, (), "no way into the network of todo/neighbour"
    )
    seen = measured(
        settings, monkeypatch, network(GOOD), places=(PLACES["frontend"], PLACES["backend"], lost)
    )
    assert seen.status is Status.UNPROVEN
    assert "no way into the network" in seen.observed


def test_what_does_not_listen_proves_nothing_by_its_silence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = network(GOOD)

    def run(world: World, way: Way, tries: Sequence[Try]) -> list[Seen]:
        return [
            Seen.TIMEOUT if one.host == ADDRESSES["neighbour"] else seen
            for one, seen in zip(tries, good(world, way, tries), strict=True)
        ]

    seen = measured(settings, monkeypatch, run)
    assert seen.status is Status.UNPROVEN
    assert "nothing showed that it was listening" in seen.observed
