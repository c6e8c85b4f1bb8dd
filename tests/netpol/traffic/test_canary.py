"""The canary: whatever it cannot show makes everything unproven, and nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.settings import Settings
from runbook.netpol.traffic import canary, reach
from runbook.netpol.traffic.probes import Seen, Try
from runbook.netpol.traffic.reach import PYTHON, Way
from runbook.netpol.traffic.visitors import Visit
from runbook.world import World
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

OPEN, TIMEOUT = Seen.OPEN, Seen.TIMEOUT


class Network:
    """A network that follows policies as a test says: the outcome while there is none, and under default-deny."""

    def __init__(self, free: Seen, denied: Seen, after: Seen | None = None) -> None:
        self.api = FakeApi()
        self.free, self.denied, self.after = free, denied, after or free
        self.calls = 0

    def run(self, _world: World, _way: Way, tries: Sequence[Try]) -> list[Seen]:
        self.calls += 1
        if self.api.get("NetworkPolicy", canary.DENY, "scratch"):
            return [self.denied] * len(tries)
        deleted = ("delete", "NetworkPolicy", canary.DENY) in self.api.written
        return [self.after if deleted else self.free] * len(tries)


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Any:
    def prove(network: Network) -> canary.Proof:
        pods = {
            name: {"metadata": {"name": name}, "status": {"podIP": "10.1.0.9"}}
            for name in ("caller", "called")
        }

        @contextmanager
        def visiting(*_: Any, **__: Any) -> Iterator[Visit]:
            yield Visit("scratch", "scratch", pods)

        monkeypatch.setattr(canary, "visiting", visiting)
        monkeypatch.setattr(canary, "run", network.run)
        monkeypatch.setattr(canary, "PHASE_SECONDS", 0.3)
        monkeypatch.setattr(reach, "explore", lambda *_: (Way("caller", "scratch", PYTHON, "probe"), ()))
        world = world_of(settings, api=network.api, cluster=FakeCluster())
        first = canary.enforced(world)
        calls = network.calls
        assert canary.enforced(world) == first, "it is proven once in a run"
        assert network.calls == calls
        return first

    return prove


def test_open_denied_and_open_again_is_a_proof(proven: Any) -> None:
    proof = proven(Network(OPEN, TIMEOUT))
    assert "timed out" in str(proof)


@pytest.mark.parametrize("denied", [OPEN, Seen.SILENT, Seen.REFUSED, Seen.CHECKFAILED])
def test_a_network_that_lets_through_what_is_denied_proves_nothing(proven: Any, denied: Seen) -> None:
    with pytest.raises(Unmeasurable, match="does not enforce policies") as problem:
        proven(Network(OPEN, denied))
    assert denied.value in problem.value.observed
    assert "CNI" in problem.value.hint


@pytest.mark.parametrize("free", [TIMEOUT, Seen.REFUSED])
def test_a_network_that_is_shut_anyway_proves_nothing(proven: Any, free: Seen) -> None:
    with pytest.raises(Unmeasurable, match="policy engine does not work"):
        proven(Network(free, TIMEOUT))


def test_a_network_that_stays_shut_proves_nothing(proven: Any) -> None:
    with pytest.raises(Unmeasurable, match="does not follow"):
        proven(Network(OPEN, TIMEOUT, after=TIMEOUT))


def test_an_error_of_the_api_is_passed_on(proven: Any) -> None:
    network = Network(OPEN, TIMEOUT)
    network.api.away = True
    with pytest.raises(RunbookError):
        proven(network)
