"""Looking at process 1 of a container, from the inside or from the node; look.sh, look.py and look.js say the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.clients.kube import workloads
from runbook.cluster import NodeAccess
from runbook.engine.errors import RunbookError, Unmeasurable

if TYPE_CHECKING:
    from runbook.checks.security.processes import Container
    from runbook.world import World

SECONDS = 15.0
"""For one look into a container."""

UNLIMITED = Decimal("Infinity")
HUGE = 1 << 60
"""Version 1 control groups write a number near 2^63 where memory has no limit."""

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Process:
    """Process 1 of a container."""

    uids: tuple[int, ...]
    """Real, effective, saved and file-system id."""
    gids: tuple[int, ...]
    capabilities: Mapping[str, int]
    """Inheritable, permitted, effective, bounding and ambient set, by their names in /proc."""
    no_new_privileges: bool
    seccomp: int
    """2 is a filter."""
    writes: Mapping[str, str]
    """Folder -> "written", or the error's name."""
    token: bool
    """There is something where Kubernetes puts a token for its API."""
    memory: Decimal
    cpus: Decimal
    seen_from: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Why a container's process could not be looked at."""

    reason: str


Look = Callable[[], Process | Unseen]


def look_inside(world: World, container: Container) -> Process | Unseen:
    """By the first way that leads to the process."""
    reasons = []
    for way, look in ways(world, container):
        seen = look()
        if isinstance(seen, Process):
            return seen
        reasons.append(f"{way}: {seen.reason}")
    if not isinstance(world.cluster, NodeAccess):
        reasons.append("this cluster's node lets nobody in")
    return Unseen("; ".join(reasons))


def ways(world: World, container: Container) -> Iterator[tuple[str, Look]]:
    """The ways to look, each with its name: the shell first, which most images have; the node's own eyes last."""
    folders = ["/", *container.empty_folders()]
    for name, argv in _programs():
        yield f"{name} in the container", partial(_run, world, container, name, [*argv, *folders])
    if isinstance(world.cluster, NodeAccess):
        yield "the node", partial(_from_node, world.cluster, container, folders)


@cache
def _programs() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("sh", ("sh", "-c", (FOLDER / "look.sh").read_text(), "look")),
        ("python", ("python3", "-I", "-c", (FOLDER / "look.py").read_text())),
        ("node", ("node", "-e", (FOLDER / "look.js").read_text())),
    )


def _run(world: World, container: Container, name: str, argv: list[str]) -> Process | Unseen:
    pod, namespace = workloads.name(container.pod), container.pod["metadata"]["namespace"]
    try:
        said = world.api.exec(pod, container.spec["name"], argv, namespace, timeout=SECONDS)
    except Unmeasurable as problem:
        # Without the command: it is a whole program.
        return Unseen(problem.observed.rpartition("could not be started: ")[2][-120:])
    if said.code != 0:
        return Unseen(f"it ended with status {said.code}")
    return read(said.stdout, f"{name} in the container")


def _from_node(node: NodeAccess, container: Container, folders: list[str]) -> Process | Unseen:
    """Through the container's root as /proc shows it: even root cannot write to one that is read-only."""
    try:
        number = node.containers().get(container.id)
        if number is None:
            return Unseen("its process is not among those of the node")
        program = (FOLDER / "look.py").read_text()
        argv = [os.path.realpath(sys.executable), "-I", "-c", program, str(number), *folders]
        return read(node.run_on_node(argv, SECONDS), "the node")
    except RunbookError as problem:
        return Unseen(problem.observed[-120:])


def read(text: str, seen_from: str = "") -> Process | Unseen:
    """What a look said: lines of /proc/1/status, and ours in the same form."""
    facts: dict[str, str] = {}
    writes: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == "Write":
            result, _, folder = value.strip().partition(" ")
            writes[folder] = result
        else:
            facts[key] = value.strip()
    try:
        return Process(
            uids=tuple(int(number) for number in facts["Uid"].split()),
            gids=tuple(int(number) for number in facts["Gid"].split()),
            capabilities={key: int(facts[key], 16) for key in facts if key.startswith("Cap")},
            no_new_privileges=facts["NoNewPrivs"] == "1",
            seccomp=int(facts["Seccomp"]),
            writes=writes,
            token=facts["Token"] != "no",  # noqa: S105
            memory=_memory(facts.get("Memory", "")),
            cpus=_cpus(facts),
            seen_from=seen_from,
        )
    except (KeyError, ValueError) as problem:
        return Unseen(f"what was said of its process cannot be read: {problem!r}")


def _memory(text: str) -> Decimal:
    """Bytes; raises ValueError where nothing was said."""
    if text == "max":
        return UNLIMITED
    return UNLIMITED if int(text) > HUGE else Decimal(int(text))


def _cpus(facts: Mapping[str, str]) -> Decimal:
    """Processors, by version 2 (`max 100000`) or version 1 of control groups."""
    quota, _, period = facts.get("Cpu", "").partition(" ")
    if not quota:
        quota, period = facts["Quota"], facts["Period"]
    return UNLIMITED if quota in ("max", "-1") else Decimal(int(quota)) / Decimal(int(period))
