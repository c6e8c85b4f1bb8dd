"""Into a pod's network: by a program run in the pod itself, or from this machine where the pod's processes run on it.

A program that enters the network namespace of a pod speaks with the pod's address and is judged by the pod's
policies; so a pod whose image holds nothing that could probe is asked too, and nothing is left in it. What can be
entered neither way cannot be measured.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.app.application import SIDECAR
from runbook.clients.kube import workloads
from runbook.engine.errors import CommandFailed, TimedOut, Unmeasurable
from runbook.netpol.listeners import Listener, parse

if TYPE_CHECKING:
    from runbook.world import World

Object = dict[str, Any]

START_SECONDS = 15.0
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Program:
    """How a probe is run: the interpreter's words, the script, and what stands between script and argument."""

    name: str
    interpreter: tuple[str, ...]
    script: str
    between: tuple[str, ...] = ()

    def argv(self, argument: str) -> list[str]:
        return [*self.interpreter, source(self.script), *self.between, argument]


PYTHON = Program("python", ("python3", "-c"), "probe.py")
NODE = Program("node", ("node", "-e"), "probe.js")
SHELL = Program("sh", ("sh", "-c"), "probe.sh", ("probe",))
HERE = Program("from this machine", (sys.executable, "-I", "-c"), "probe.py")


@cache
def source(script: str) -> str:
    return (files("runbook.netpol.traffic") / "programs" / script).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Way:
    """A way that was found to work: a container and its program, or a process whose network is entered."""

    pod: str
    namespace: str
    program: Program
    container: str = ""
    process: int = 0

    def __str__(self) -> str:
        return f"{self.program.name} in container {self.container}" if self.container else self.program.name

    def ask(self, world: World, argument: str, *, seconds: float) -> str:
        """What the program says. Raises `Unmeasurable` where it could not be run to its end."""
        argv = self.program.argv(argument)
        if self.container:
            try:
                done = world.api.exec(self.pod, self.container, argv, self.namespace, timeout=seconds)
            except Unmeasurable as problem:  # its words hold the whole script
                raise Unmeasurable(
                    f"{self.program.name} does not run in {self.namespace}/{self.pod}: {problem.observed[-160:]}",
                    wanted="a probe that runs to its end",
                ) from None
            if done.code != 0:
                words = done.stderr.strip().splitlines()[-1:] or ["no words"]
                raise Unmeasurable(
                    f"the probe in {self.namespace}/{self.pod} ended with status {done.code}: {words[0][:200]}",
                    wanted="a probe that runs to its end",
                )
            return done.stdout
        try:
            return world.commands.run([*entering(self.process), *argv], timeout=seconds).stdout
        except (CommandFailed, TimedOut) as problem:
            raise Unmeasurable(
                f"the probe in the network of {self.namespace}/{self.pod} failed: {problem.observed[:200]}",
                wanted="a probe that runs to its end",
            ) from None


def entering(process: int) -> list[str]:
    """The words before a command that put it into the network namespace of a process."""
    return ["nsenter", f"--target={process}", "--net", "--"]


def explore(world: World, pod: Object) -> tuple[Way, tuple[Listener, ...]]:
    """The first way that works, and what listens in the pod. Raises `Unmeasurable` where there is none."""
    reasons = []
    for way in _ways(pod):
        try:
            return way, parse(way.ask(world, "listeners", seconds=START_SECONDS))
        except Unmeasurable as problem:
            reasons.append(problem.observed)
        except ValueError as problem:
            reasons.append(f"{way}: {problem}")
    metadata = pod["metadata"]
    raise Unmeasurable(
        f"no way into the network of {metadata['namespace']}/{metadata['name']}: "
        + (
            reasons[-1]
            if reasons
            else "its image has no interpreter, and its processes are not on this machine"
        ),
        wanted="Python, Node.js or a shell with nc in the pod, or root on the machine where it runs",
    )


def _ways(pod: Object) -> Sequence[Way]:
    """In the order of what they can do; the container named like the component first, sidecars last."""
    metadata = pod["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    component = workloads.component(pod)
    containers = sorted(
        (each["name"] for each in pod["spec"]["containers"]),
        key=lambda container: (container == SIDECAR, container != component),
    )
    first = [NODE, PYTHON] if component == "frontend" else [PYTHON, NODE]
    process = process_of(pod)
    entered = [Way(name, namespace, HERE, process=process)] if process else []
    likely = component in ("frontend", "backend", "mcp-server", "offline-model") or _sent(pod)
    by_program = [Way(name, namespace, program, container) for container in containers for program in first]
    by_shell = [Way(name, namespace, SHELL, container) for container in containers]
    return [*by_program, *entered, *by_shell] if likely else [*entered, *by_program, *by_shell]


def _sent(pod: Object) -> bool:
    return "todo.runbook/probe" in (pod["metadata"].get("labels") or {})


def process_of(pod: Object) -> int:
    """A process of the pod on this very machine, whose network may be entered; 0 where there is none.

    Found by the pod's UID in the control groups, which names no other pod of any cluster.
    """
    if os.geteuid() != 0:
        return 0
    uid = str(pod["metadata"]["uid"])
    spellings = (f"pod{uid}", f"pod{uid.replace('-', '_')}")
    own = _network(os.getpid())
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            groups = (entry / "cgroup").read_text()
            if any(spelling in groups for spelling in spellings) and _network(int(entry.name)) != own:
                return int(entry.name)
    return 0


def _network(process: int) -> str:
    return str((PROC / str(process) / "ns" / "net").readlink())
