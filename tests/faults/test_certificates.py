"""Certificates that are renewed while people work: by count, without a failed call, and between sidecars only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from runbook.app.application import COMPONENTS
from runbook.engine.errors import RunbookError, TimedOut
from runbook.engine.settings import Settings
from runbook.faults import certificates
from runbook.faults.planting import Hands
from runbook.probes import users
from runbook.probes.dapr import flows, mtls
from runbook.probes.dapr.flows import Flow
from runbook.probes.load import Failure, LoadResult
from tests.fakes import meshed
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

BETWEEN = Flow("backend-1", 50002, "frontend-1", 40000)


class Forwarding(FakeApi):
    @contextmanager
    def port_forward(self, pod: str, port: int, namespace: str) -> Iterator[int]:
        assert (port, namespace) == (50002, "todo")
        yield [each.name for each in COMPONENTS].index(pod.removesuffix("-1"))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is seen of people and pods; a test breaks one entry. Each look finds new certificates."""
    found: dict[str, Any] = {
        "people": LoadResult(),
        "flows": [BETWEEN],
        "stuck": set(),
        "looks": 0,
        "vouched": True,
    }
    found["people"].seconds["list"] = [0.1] * 9

    @contextmanager
    def at_work(*_: Any) -> Iterator[LoadResult]:
        yield found["people"]

    def presented(port: int, _: str) -> Any:
        found["looks"] += 1
        if not found["vouched"]:
            return "certificate has expired"
        return SimpleNamespace(serial_number=0 if port in found["stuck"] else found["looks"])

    monkeypatch.setattr(users, "at_work", at_work)
    monkeypatch.setattr(mtls, "presented", presented)
    monkeypatch.setattr(flows, "between", lambda *_: found["flows"])
    monkeypatch.setattr(certificates, "PATIENCE", 1.5)
    return found


@pytest.fixture
def hands(settings: Settings, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Hands:
    monkeypatch.setattr(certificates, "EVERY", 0.01)
    api = Forwarding(*map(meshed.pod, COMPONENTS), *meshed.trust_bundle())
    return Hands(world_of(settings, api=api, cluster=FakeCluster()))


def test_all_are_renewed_and_nobody_notices(hands: Hands) -> None:
    assert certificates.renewed_under_load(hands) == (
        "3 certificates were renewed 2 times under 9 calls, none of which failed;"
        " 1 of 1 connections between the pods were sidecars'"
    )


def test_one_that_is_never_renewed(hands: Hands, told: dict[str, Any]) -> None:
    told["stuck"] = {1}
    with pytest.raises(TimedOut, match="not renewed 2 times yet: backend-1"):
        certificates.renewed_under_load(hands)


def test_a_call_that_failed(hands: Hands, told: dict[str, Any]) -> None:
    told["people"].failures.append(Failure(1.0, "chat", "502"))
    with pytest.raises(RunbookError, match="1 of 10 calls failed: chat: 502 x1"):
        certificates.renewed_under_load(hands)


def test_a_connection_past_the_sidecars(hands: Hands, told: dict[str, Any]) -> None:
    told["flows"] = [BETWEEN, Flow("backend-1", 8000, "frontend-1", 40001)]
    with pytest.raises(RunbookError, match="backend-1:8000 - frontend-1:40001 bypasses the sidecars"):
        certificates.renewed_under_load(hands)


def test_a_certificate_that_sentry_does_not_vouch_for(hands: Hands, told: dict[str, Any]) -> None:
    told["vouched"] = False
    with pytest.raises(RunbookError, match="sentry does not vouch for the certificate of pod"):
        certificates.renewed_under_load(hands)
