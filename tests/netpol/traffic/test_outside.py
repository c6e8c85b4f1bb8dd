"""Stand-ins for the outside: only where a node's network is on this machine and is not this machine's own."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.engine.errors import CommandFailed
from runbook.engine.settings import Settings
from runbook.netpol.traffic import outside
from tests.fakes.worlds import FakeApi, FakeCluster, world_of


def pod(node: str, *, host: bool = True) -> dict[str, Any]:
    return {
        "metadata": {"name": "proxy", "namespace": "kube-system", "uid": "2f5a"},
        "spec": {"nodeName": node, "hostNetwork": host},
    }


class Refusing:
    """A machine on which no network namespace can be made."""

    def start(self, *_: Any, **__: Any) -> Any:
        raise CommandFailed("unshare: Operation not permitted")


def missing(settings: Settings, *pods: dict[str, Any]) -> str:
    world = world_of(settings, api=FakeApi(), cluster=FakeCluster(), commands=Refusing())
    with outside.outside(world, list(pods)) as found:
        return found.missing


def test_a_cluster_of_no_node_or_of_too_many_has_none(settings: Settings) -> None:
    many = [pod(f"n{number}") for number in range(outside.MOST_NODES + 1)]
    assert "not 0" in missing(settings)
    assert f"not {len(many)}" in missing(settings, *many)


def test_each_node_has_to_be_on_this_machine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "process_of", lambda pod: 4711 if pod["spec"]["nodeName"] == "n1" else 0)
    assert "no stand-ins for the outside" in missing(settings, pod("n1"), pod("n2"))


def test_every_node_has_a_pair_of_its_own(settings: Settings) -> None:
    """The first brings the addresses and the way back; the routes of each node lead over its own pair."""
    batches: list[str] = []

    class Machine:
        def run(self, argv: Any, *, stdin: str, **_: Any) -> None:
            batches.append(stdin)

    world = world_of(settings, commands=Machine())
    for number, process in enumerate((11, 12)):
        outside._join(world, process, 99, number)
    text = "".join(batches)
    assert text.count("link set dev lo up") == 1 and text.count("route add default") == 1
    for number in (0, 1):
        here, there = outside.link(number)
        assert f"addr add {here}/31" in text and f"addr add {there}/31 dev eth{number}" in text
        assert f"route add {outside.METADATA}/32 via {there}" in text


def test_a_node_elsewhere_has_none(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "process_of", lambda _pod: 0)
    assert "no stand-ins for the outside" in missing(settings, pod("n1"))


def test_only_pods_on_the_nodes_network_lead_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "process_of", lambda _pod: 4711)
    assert "no stand-ins" in missing(settings, pod("n1", host=False))


def test_every_address_is_kept_for_documentation_or_link_local() -> None:
    from ipaddress import ip_address, ip_network

    kept = [ip_network(block) for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    for each in (*outside.INTERNET, *outside.link(0), *outside.link(outside.MOST_NODES - 1)):
        assert any(ip_address(each) in block for block in kept)
    assert ip_address(outside.METADATA).is_link_local
