"""The name of the application is known on this machine, rightly."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from runbook.checks.web import host
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from tests.fakes.worlds import FakeCluster, world_of


def resolver(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    def answer(*_: Any, **__: Any) -> list[Any]:
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_the_right_address(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch, "10.0.0.2")
    outcome = host.resolves(world_of(Settings(), cluster=FakeCluster()))
    assert (outcome.status, outcome.observed) == (Status.PASSED, "todo.local resolves to 10.0.0.2")


def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch)
    outcome = host.resolves(world_of(Settings(), cluster=FakeCluster()))
    assert (outcome.status, outcome.wanted) == (Status.FAILED, "todo.local resolves to 10.0.0.2")
    assert "is not known" in outcome.observed


def test_a_cluster_that_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch, "10.0.0.9", "10.0.0.2")
    outcome = host.resolves(world_of(Settings(), cluster=FakeCluster()))
    assert outcome.status is Status.FAILED
    assert "10.0.0.9" in outcome.observed


def test_without_an_ingress_address_it_cannot_be_measured() -> None:
    class Down(FakeCluster):
        def ingress_address(self, port: int = 80) -> str:
            raise Unmeasurable("the cluster does not run")

    with pytest.raises(Unmeasurable):
        host.resolves(world_of(Settings(), cluster=Down()))
