"""Connections between pods, out of the kernel's tables: both ends' lists, short ones, and other peers left out."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.app.application import BACKEND, FRONTEND
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.probes.dapr import flows
from runbook.probes.dapr.flows import Flow, between, connections
from runbook.world import World
from tests.fakes import meshed
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

HEAD = "  sl  local_address rem_address   st"


def table(*lines: str) -> str:
    return "\n".join(
        ["== tcp", HEAD, *lines, "== tcp6", HEAD, "== udp", HEAD, "  1: 0100007F:0035 0A00000A:C000 01"]
    )


# 10.0.0.1 is the frontend, 10.0.0.2 the backend, 10.0.0.9 the node.
FRONTENDS = table(
    "  0: 00000000:0BB8 00000000:0000 0A",
    "  1: 0100000A:9C40 0200000A:C352 01",
    "  2: 0100007F:9C41 0100007F:0DAC 01",
    "  3: 0100000A:0BB8 0900000A:8000 06",
)
BACKENDS = table("  0: 0200000A:C352 0100000A:9C40 01")


@pytest.fixture
def pods() -> list[dict[str, Any]]:
    made = [meshed.pod(FRONTEND), meshed.pod(BACKEND)]
    for number, pod in enumerate(made, start=1):
        pod["status"]["podIP"] = f"10.0.0.{number}"
    return made


@pytest.fixture
def world(settings: Settings) -> World:
    return world_of(settings, api=FakeApi(), cluster=FakeCluster())


def tell(monkeypatch: pytest.MonkeyPatch, **tables: str) -> None:
    class Way:
        def __init__(self, pod: dict[str, Any]) -> None:
            self.text = tables[pod["metadata"]["name"].removesuffix("-1")]

        def ask(self, *_: Any, **__: Any) -> str:
            return self.text

    monkeypatch.setattr(flows, "explore", lambda _world, pod: (Way(pod), ()))


def test_a_connection_of_two_pods_is_one_though_both_list_it(
    world: World, pods: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(monkeypatch, frontend=FRONTENDS, backend=BACKENDS)
    assert between(world, pods) == [Flow("backend-1", 50002, "frontend-1", 40000)]
    assert between(world, pods)[0].encrypted


def test_a_direct_call_that_has_ended_is_seen_at_the_end_that_closed_it(
    world: World, pods: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(monkeypatch, frontend=table("  0: 0100000A:9C42 0200000A:1F40 06"), backend=table())
    (flow,) = between(world, pods)
    assert flow == Flow("backend-1", 8000, "frontend-1", 40002)
    assert not flow.encrypted


def test_an_address_of_ipv4_in_the_clothes_of_ipv6() -> None:
    text = table().replace(
        "== udp",
        "  4: 0000000000000000FFFF00000100000A:9C43 0000000000000000FFFF00000200000A:1F40 01\n== udp",
    )
    assert connections(text) == [(40003, "10.0.0.2", 8000)]


def test_no_connection_at_all(
    world: World, pods: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(monkeypatch, frontend=table(), backend=table())
    assert between(world, pods) == []


def test_words_that_are_no_table(
    world: World, pods: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(monkeypatch, frontend="== tcp\nno such file", backend=table())
    with pytest.raises(Unmeasurable, match="cannot be read"):
        between(world, pods)
