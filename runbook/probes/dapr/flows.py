"""The connections between the application's pods, as the kernels of both ends list them.

A connection that has ended stays in the list of the end that closed it for a minute (TIME_WAIT), so that one look after
the calls sees the short ones too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runbook.app.application import SIDECAR_CALLS
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.netpol.listeners import LISTEN, address
from runbook.netpol.traffic.reach import START_SECONDS, explore

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """A TCP connection of two pods; of both ends' lists it is one."""

    one: str
    one_port: int
    other: str
    other_port: int

    @property
    def encrypted(self) -> bool:
        """Between sidecars."""
        return SIDECAR_CALLS in (self.one_port, self.other_port)

    def __str__(self) -> str:
        return f"{self.one}:{self.one_port} - {self.other}:{self.other_port}"


def between(world: World, pods: Sequence[dict[str, Any]]) -> list[Flow]:
    """All connections among these pods. Raises `Unmeasurable` where a pod's list cannot be read."""
    names = {str(pod["status"].get("podIP", "")): workloads.name(pod) for pod in pods}
    with ThreadPoolExecutor(max(1, len(pods))) as pool:
        tables = list(pool.map(lambda pod: _tables(world, pod), pods))
    found: set[Flow] = set()
    for pod, text in zip(pods, tables, strict=True):
        own = workloads.name(pod)
        for port, peer, peer_port in connections(text):
            other = names.get(peer)
            if other is not None and other != own:
                ends = sorted([(own, port), (other, peer_port)])
                found.add(Flow(*ends[0], *ends[1]))
    return sorted(found)


def connections(tables: str) -> list[tuple[int, str, int]]:
    """Own port, the other's address and port of each TCP socket that has an other end.

    Raises ValueError for words that are no table of sockets.
    """
    found, table = [], ""
    for line in tables.splitlines():
        if line.startswith("== "):
            table = line[3:].strip()
            continue
        fields = line.split()
        if not table.startswith("tcp") or not fields or fields[0] == "sl":
            continue
        if len(fields) < 4:
            raise ValueError(f"{line[:80]!r} is not a line of a socket table")
        if fields[3] == LISTEN:
            continue
        place, _, peer_port = fields[2].partition(":")
        found.append((int(fields[1].rpartition(":")[2], 16), str(address(place)), int(peer_port, 16)))
    return found


def _tables(world: World, pod: dict[str, Any]) -> str:
    way, _ = explore(world, pod)
    text = way.ask(world, "listeners", seconds=START_SECONDS)
    try:
        connections(text)
    except ValueError as problem:
        raise Unmeasurable(
            f"the list of connections of pod {workloads.name(pod)} cannot be read: {problem}",
            wanted="the tables of /proc/net",
        ) from None
    return text
