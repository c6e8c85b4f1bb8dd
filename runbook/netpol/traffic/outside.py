"""Stand-ins for the internet and for a cloud's metadata service, so that no probe ever leaves this machine.

A network namespace of ours is joined to the node's network by one veth pair. It carries addresses of the three blocks
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

LINK_NODE, LINK_OUTSIDE = "203.0.113.254", "203.0.113.255"
START_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Outside:
    """Whether the stand-ins are there; else why not."""

    missing: str = ""


@contextmanager
def outside(world: World, pods: list[Object]) -> Iterator[Outside]:
    """The stand-ins, reachable from the node's pods for as long as the context lasts; never raises for want of them."""
    try:
        node = _node(pods)
        listener = _start(world)
    except Unmeasurable as problem:
        yield Outside(problem.observed)
        return
    try:
        try:
            _join(world, node, listener.pid)
            _serve(listener)
        except Unmeasurable as problem:
            yield Outside(problem.observed)
            return
        yield Outside()
    finally:
        _end(listener)


def _node(pods: list[Object]) -> int:
    """A process in the network of the one node, where that is on this machine and not this machine's own network."""
    nodes = {str(pod["spec"].get("nodeName", "")) for pod in pods} - {""}
    if len(nodes) != 1:
        raise Unmeasurable(f"stand-ins for the outside need a cluster of one node, this one has {len(nodes)}")
    hosts = [pod for pod in pods if pod["spec"].get("hostNetwork")]
    if found := next(filter(None, map(process_of, hosts)), 0):
        return found
    why = "no root here" if os.geteuid() != 0 else "the node's network is not on this machine, or is its own"
    raise Unmeasurable(f"no stand-ins for the outside: {why}")


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


def _join(world: World, node: int, listener: int) -> None:
    """The pair, the addresses and the routes, in two batches of `ip`."""
    name = f"out-{secrets.token_hex(4)}"
    routes = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.1/32", f"{METADATA}/32"]
    _ip(
        world,
        node,
        f"link add {name} type veth peer name eth0 netns {listener}",
        f"addr add {LINK_NODE}/31 dev {name}",
        f"link set dev {name} up",
    )
    _ip(
        world,
        listener,
        "link set dev lo up",
        *(f"addr add {address}/32 dev lo" for address in (*INTERNET, METADATA)),
        f"addr add {LINK_OUTSIDE}/31 dev eth0",
        "link set dev eth0 up",
        f"route add default via {LINK_NODE}",
    )
    _ip(world, node, *(f"route add {route} via {LINK_OUTSIDE} dev {name}" for route in routes))


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
