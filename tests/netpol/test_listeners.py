"""The kernel's socket tables, as a pod shows them."""

from __future__ import annotations

import pytest

from runbook.netpol.listeners import Listener, parse

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(address: str, port: int, state: str = "0A", remote: str = "00000000:0000") -> str:
    return f"   0: {address}:{port:04X} {remote} {state} 00000000:00000000 00:00000000 00000000  1000 0 1 1\n"


ANY, LOOP = "00000000", "0100007F"
ANY6, LOOP6 = "0" * 32, "0" * 24 + "01000000"
MAPPED_LOOP = "0" * 16 + "FFFF0000" + LOOP


def tables(tcp: str = "", tcp6: str = "", udp: str = "") -> str:
    return f"== tcp\n{HEAD}{tcp}== tcp6\n{HEAD}{tcp6}== udp\n{HEAD}{udp}"


def test_listening_sockets_only() -> None:
    seen = parse(tables(tcp=row(ANY, 8000) + row(ANY, 40000, "01", "0A000001:1F90")))
    assert seen == (Listener(8000),)


@pytest.mark.parametrize(
    ("v4", "v6", "loopback"),
    [
        (LOOP, None, True),
        (None, LOOP6, True),
        (None, MAPPED_LOOP, True),
        (LOOP, LOOP6, True),
        (ANY, None, False),
        (None, ANY6, False),
        (LOOP, ANY6, False),
        ("0500010A", None, False),
    ],
)
def test_loopback_means_on_every_address_that_it_listens_on(
    v4: str | None, v6: str | None, loopback: bool
) -> None:
    text = tables(tcp=row(v4, 3500) if v4 else "", tcp6=row(v6, 3500) if v6 else "")
    assert parse(text) == (Listener(3500, loopback=loopback),)


def test_udp_listens_unconnected_below_the_ports_of_clients() -> None:
    udp = row(ANY, 53, "07") + row(ANY, 40000, "07") + row(ANY, 123, "01", "0A000001:007B")
    assert parse(tables(udp=udp)) == (Listener(53, "UDP"),)


def test_a_pod_without_listeners_has_none() -> None:
    assert parse(tables()) == ()


@pytest.mark.parametrize("text", ["", "== udp\n" + HEAD, "sh: not found"])
def test_what_is_no_table_is_not_read_as_nothing_listening(text: str) -> None:
    with pytest.raises(ValueError, match="table"):
        parse(text)
