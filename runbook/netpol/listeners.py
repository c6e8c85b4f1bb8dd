"""What listens in a pod, from the kernel's own socket tables: not what a manifest declares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from runbook.netpol.policies import TCP, UDP

LISTEN, UNCONNECTED = "0A", "07"
"""States in the tables: of a TCP socket that accepts, of a UDP socket that takes from anyone."""

EPHEMERAL = 32768
"""From here on the kernel gives out ports for a moment: a UDP socket there is a client's."""


@dataclass(frozen=True, slots=True, order=True)
class Listener:
    """A port that is open in a pod; `loopback`: to the pod itself only."""

    port: int
    protocol: str = TCP
    loopback: bool = False


def parse(tables: str) -> tuple[Listener, ...]:
    """The listeners of `/proc/net/{tcp,tcp6,udp,udp6}`, each table headed by `== name`.

    Raises ValueError for words that are no such table, and where the TCP table is missing.
    """
    found: dict[tuple[str, int], bool] = {}
    table, seen = "", set()
    for line in tables.splitlines():
        if line.startswith("== "):
            table = line[3:].strip()
            seen.add(table)
            continue
        fields = line.split()
        if not fields or fields[0] == "sl":
            continue
        if len(fields) < 4:
            raise ValueError(f"{line[:80]!r} is not a line of a socket table")
        protocol = UDP if table.startswith("udp") else TCP
        if fields[3] != (UNCONNECTED if protocol == UDP else LISTEN):
            continue
        place, _, port = fields[1].partition(":")
        number = int(port, 16)
        if protocol == UDP and number >= EPHEMERAL:
            continue
        key = (protocol, number)
        found[key] = found.get(key, True) and _loopback(place)
    if "tcp" not in seen:
        raise ValueError("there is no table of TCP sockets")
    return tuple(sorted(Listener(port, protocol, loopback) for (protocol, port), loopback in found.items()))


def _loopback(text: str) -> bool:
    return address(text).is_loopback


def address(text: str) -> IPv4Address | IPv6Address:
    """An address of the tables: 32-bit words of the machine's own order, on all our machines little-endian.

    An IPv4 address in the clothes of IPv6 is told as the former. Raises ValueError.
    """
    raw = b"".join(bytes.fromhex(word)[::-1] for word in _words(text))
    if len(raw) == 4:
        return IPv4Address(raw)
    six = IPv6Address(raw)
    return six.ipv4_mapped or six


def _words(text: str) -> Iterable[str]:
    return (text[start : start + 8] for start in range(0, len(text), 8))
