"""Does this cluster enforce policies at all? A canary dies of what it should die of, before any verdict is given.

In a scratch namespace one pod calls another: open without a policy, a timeout under default-deny, open again without
it. Where that does not happen, no blocked connection proves anything, and a missing one neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runbook.engine.errors import TimedOut, Unmeasurable
from runbook.engine.waiting import NotYet, eventually
from runbook.netpol.traffic import reach
from runbook.netpol.traffic.probes import BLOCKED, Seen, Try, run
from runbook.netpol.traffic.visitors import Visit, Visitor, visiting
from runbook.netpol.truth import ECHO

if TYPE_CHECKING:
    from runbook.world import World

PHASE_SECONDS = 15.0
"""Seconds within which the network follows a policy that is made or deleted."""

CALLER, CALLED = Visitor("caller"), Visitor("called")
DENY = "default-deny"


@dataclass(frozen=True, slots=True)
class Proof:
    """How long the network took to follow, in seconds."""

    deny: float
    reopen: float

    def __str__(self) -> str:
        return (
            f"a denied connection timed out {self.deny:.1f} s after its policy, "
            f"and opened {self.reopen:.1f} s after its end"
        )


def enforced(world: World) -> Proof:
    """The proof that policies are enforced, made once in a run.

    Raises `Unmeasurable` where they are not, or where it cannot be told.
    """
    proof: Proof = world.once("network canary", lambda: _prove(world))
    return proof


def _prove(world: World) -> Proof:
    with visiting(world, (CALLER, CALLED), purpose="todo-canary") as visit:
        caller = visit.pods[CALLER.name]
        way, _ = reach.explore(world, caller)
        address = str(visit.pods[CALLED.name]["status"]["podIP"])
        calls = [Try(address, ECHO, payload=b"?"), Try(address, ECHO, "UDP", payload=b"?")]

        def look() -> list[Seen]:
            return run(world, way, calls)

        _phase(world, look, lambda seen: set(seen) == {Seen.OPEN}, _NEVER_OPEN)
        made = time.monotonic()
        world.api.apply(_deny(visit))
        _phase(world, look, lambda seen: set(seen) <= BLOCKED, _NOT_ENFORCED)
        deleted = time.monotonic()
        world.api.delete("NetworkPolicy", DENY, visit.namespace)
        _phase(world, look, lambda seen: set(seen) == {Seen.OPEN}, _NEVER_OPEN_AGAIN)
        return Proof(deleted - made, time.monotonic() - deleted)


_NOT_ENFORCED = (
    "the cluster does not enforce policies: under a default-deny policy a connection was",
    "a CNI that enforces NetworkPolicy (minikube: --cni=calico), or inv cluster.up for the embedded node",
)
_NEVER_OPEN = (
    "two pods without any policy do not reach each other: the policy engine does not work; a connection was",
    "kubectl -n kube-system get pods",
)
_NEVER_OPEN_AGAIN = (
    "the network does not follow when a policy is deleted: a connection was",
    "kubectl -n kube-system get pods",
)


def _phase(
    world: World,
    look: Callable[[], list[Seen]],
    good: Callable[[list[Seen]], bool],
    otherwise: tuple[str, str],
) -> None:
    """Wait until the network shows what it should; where it does not, nothing is proven by anything seen in it."""
    words, hint = otherwise
    last: list[Seen] = []

    def looked() -> None:
        nonlocal last
        last = look()
        if not good(last):
            raise NotYet(", ".join(seen.value for seen in last))

    try:
        eventually(
            looked,
            timeout=PHASE_SECONDS,
            every=0.1,
            slowest=0.5,
            wanted="open, then a timeout under default-deny, then open again",
            stopping=world.stopping,
        )
    except TimedOut as problem:
        raise Unmeasurable(
            f"{words} {', '.join(seen.value for seen in last) or problem.observed}",
            wanted="open, then a timeout under default-deny, then open again, TCP and UDP",
            hint=hint,
        ) from None


def _deny(visit: Visit) -> dict[str, object]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": DENY, "namespace": visit.namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
