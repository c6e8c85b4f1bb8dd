"""Stand-ins for the internet and for a cloud's metadata service, so that no probe ever leaves this machine.

A network namespace of ours is joined to each node's network by one veth pair. It carries addresses of the three blocks
that are kept for documentation (RFC 5737) and 169.254.169.254, and a listener answers on them. The listener ends with
this process, however that ends, and with it go namespace, pair, addresses and routes.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runbook.engine.errors import CommandFailed, CommandMissing, TimedOut, Unmeasurable
from runbook.netpol.traffic.reach import entering, process_of, source

if TYPE_CHECKING:
    from runbook.world import World

Object = dict[str, Any]

INTERNET = ("192.0.2.1", "198.51.100.1", "203.0.113.1")
METADATA = "169.254.169.254"
PORTS = ("80", "443", "5432", *(f"{address}:53/udp" for address in INTERNET))

MOST_NODES = 16


def link(number: int) -> tuple[str, str]:
    """The addresses of the two ends of a node's pair, the node's first: from the end of the last block downwards."""
    return f"203.0.113.{254 - 2 * number}", f"203.0.113.{255 - 2 * number}"


START_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Outside:
    """Whether the stand-ins are there; else why not."""

    missing: str = ""


@contextmanager
def outside(world: World, pods: list[Object]) -> Iterator[Outside]:
    """The stand-ins, reachable from the node's pods for as long as the context lasts; never raises for want of them."""
    try:
        nodes = _nodes(pods)
        listener = _start(world)
    except Unmeasurable as problem:
        yield Outside(problem.observed)
        return
    try:
        try:
            for number, node in enumerate(nodes):
                _join(world, node, listener.pid, number)
            _serve(listener)
        except Unmeasurable as problem:
            yield Outside(problem.observed)
            return
        yield Outside()
    finally:
        _end(listener)


def _nodes(pods: list[Object]) -> list[int]:
    """A process in the network of each node, where those are on this machine and not this machine's own network."""
    names = sorted({str(pod["spec"].get("nodeName", "")) for pod in pods} - {""})
    if not 0 < len(names) <= MOST_NODES:
        raise Unmeasurable(
            f"no stand-ins for the outside: they serve 1 to {MOST_NODES} nodes, not {len(names)}"
        )
    found = []
    for name in names:
        hosts = [
            pod for pod in pods if pod["spec"].get("hostNetwork") and pod["spec"].get("nodeName") == name
        ]
        process = next(filter(None, map(process_of, hosts)), 0)
        if not process:
            why = (
                "no root here"
                if os.geteuid() != 0
                else f"the network of {name} is not on this machine, or is its own"
            )
            raise Unmeasurable(f"no stand-ins for the outside: {why}")
        found.append(process)
    return found


def _start(world: World) -> subprocess.Popen[bytes]:
    """The listener in a network namespace of its own, waiting for its addresses."""
    argv = ["unshare", "--net", "--", sys.executable, "-I", "-c", source("echo.py"), "-", *PORTS]
    listener = world.commands.start(argv, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if not _says(listener, b"waiting"):
        _end(listener)
        raise Unmeasurable("no stand-ins for the outside: no network namespace could be made here")
    return listener


def _says(listener: subprocess.Popen[bytes], word: bytes) -> bool:
    assert listener.stdout is not None
    return listener.stdout.readline().strip() == word


def _join(world: World, node: int, listener: int, number: int) -> None:
    """A node's pair and its routes, in two batches of `ip`; the first one brings the addresses as well."""
    here, there = link(number)
    far = f"eth{number}"
    first = [
        "link set dev lo up",
        *(f"addr add {address}/32 dev lo" for address in (*INTERNET, METADATA)),
    ]
    name = f"out-{secrets.token_hex(4)}"
    routes = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.1/32", f"{METADATA}/32"]
    _ip(
        world,
        node,
        f"link add {name} type veth peer name {far} netns {listener}",
        f"addr add {here}/31 dev {name}",
        f"link set dev {name} up",
    )
    _ip(
        world,
        listener,
        *([] if number else first),
        f"addr add {there}/31 dev {far}",
        f"link set dev {far} up",
        # What a node does not send from its own end, it takes back over the first node.
        *([] if number else [f"route add default via {here}"]),
    )
    _ip(world, node, *(f"route add {route} via {there} dev {name}" for route in routes))


def _serve(listener: subprocess.Popen[bytes]) -> None:
    assert listener.stdin is not None
    listener.stdin.write(b"go\n")
    listener.stdin.flush()
    if not _says(listener, b"ready"):
        raise Unmeasurable("no stand-ins for the outside: their listener did not start")


def _ip(world: World, process: int, *lines: str) -> None:
    try:
        batch = "".join(f"{line}\n" for line in lines)
        world.commands.run([*entering(process), "ip", "-batch", "-"], timeout=10.0, stdin=batch)
    except (CommandFailed, CommandMissing, TimedOut) as problem:
        raise Unmeasurable(f"no stand-ins for the outside: {problem.observed[:200]}") from None


def _end(listener: subprocess.Popen[bytes]) -> None:
    """Its input ends, so it does; the kernel takes its namespace and the pair with it."""
    with suppress(OSError):
        assert listener.stdin is not None
        listener.stdin.close()
    try:
        listener.wait(timeout=5)
    except subprocess.TimeoutExpired:
        listener.kill()
        listener.wait()
    if listener.stdout is not None:
        listener.stdout.close()
