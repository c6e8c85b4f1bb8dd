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


@pytest.mark.parametrize("pods", [(), (pod("n1"), pod("n2"))])
def test_a_cluster_of_other_than_one_node_has_none(
    settings: Settings, pods: tuple[dict[str, Any], ...]
) -> None:
    assert f"this one has {len(pods)}" in missing(settings, *pods)


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
    for each in (*outside.INTERNET, outside.LINK_NODE, outside.LINK_OUTSIDE):
        assert any(ip_address(each) in block for block in kept)
    assert ip_address(outside.METADATA).is_link_local
