"""A free range is found, kept, and never one that the machine uses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.cluster.embedded import addresses
from runbook.cluster.embedded.addresses import Addresses
from runbook.engine.errors import RunbookError


@settings(deadline=None)
@given(st.integers(addresses.FIRST, addresses.LAST))
def test_all_parts_of_a_block_lie_in_it_and_apart(block: int) -> None:
    found = Addresses(block)
    parts = [IPv4Network(part) for part in (found.pods, found.services, found.link, found.outside)]
    assert all(part.subnet_of(found.whole) for part in parts)
    assert not any(a.overlaps(b) for a in parts for b in parts if a is not b)
    assert IPv4Address(found.api_service) in parts[1]
    assert IPv4Address(found.dns_service) in parts[1]
    way_out = {
        IPv4Address(found.outside_own),
        IPv4Address(found.outside_gateway),
        IPv4Address(found.outside_names),
    }
    assert way_out < set(parts[3].hosts())
    assert {IPv4Address(found.host), IPv4Address(found.node)} == set(parts[2].hosts())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
@given(st.sets(st.integers(addresses.FIRST, addresses.LAST), max_size=addresses.LAST - addresses.FIRST))
def test_a_used_range_is_never_chosen(blocks: set[int]) -> None:
    used = [IPv4Network(f"10.{block}.3.0/24") for block in blocks]
    assert addresses._first_free("todo", used).block not in blocks


def test_no_free_range_is_said() -> None:
    with pytest.raises(RunbookError, match="every range"):
        addresses._first_free("todo", [IPv4Network("10.0.0.0/8")])


def test_the_choice_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_used_here", list)
    first = addresses.of_node("todo", tmp_path)
    monkeypatch.setattr(addresses, "_used_here", lambda: [first.whole])  # now its own link is there
    assert addresses.of_node("todo", tmp_path) == first


def test_two_names_seldom_want_the_same() -> None:
    wanted = {addresses._first_free(name, []).block for name in ("todo", "todo-ci", "nodetest", "other")}
    assert len(wanted) > 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"block": "x"}', '{"block": 7}', "\0\0"], ids=repr)
def test_a_damaged_file_is_made_again_from_the_kubeconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """As after a power cut: the node, its certificates and its clients go on with the addresses that they have."""
    folder = tmp_path / "node"
    monkeypatch.setattr(addresses, "_used_here", list)
    first = addresses.of_node("todo", folder)
    (folder / "addresses.json").write_text(text)
    monkeypatch.setattr(addresses, "_used_here", lambda: [first.whole])
    assert addresses.known(folder) is None
    (tmp_path / "kubeconfig").write_text(f"    server: https://{first.node}:6443\n")
    assert addresses.known(folder) == first
    assert (folder / "addresses.json").read_text() == text, "who only asks writes nothing"
    assert addresses.of_node("todo", folder) == first
    (tmp_path / "kubeconfig").unlink()
    assert addresses.known(folder) == first


def test_the_kubeconfig_of_a_node_that_is_no_more_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("    server: https://10.120.255.2:6443\n")
    assert addresses.known(tmp_path / "node") is None
