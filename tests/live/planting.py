"""Planting faults: a change of the live world that is undone exactly, whatever the test found."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from runbook.faults import planting
from runbook.faults.planting import Object
from runbook.world import World

READY = 180.0
"""Seconds that the application has to recover once a fault is gone."""

BACKEND: Object = ("Deployment", "backend", "todo")
FRONTEND: Object = ("Deployment", "frontend", "todo")
MCP_SERVER: Object = ("Deployment", "mcp-server", "todo")


@dataclass(frozen=True)
class Fault:
    """`plant` changes the live world; `objects` are restored from what they were; `undo` does what that cannot."""

    name: str
    reds: dict[str, str]
    """Step id -> a pattern that its words must match, so that the right cause is named."""
    plant: Callable[[Hands], None]
    objects: tuple[Object, ...] = ()
    undo: Callable[[Hands], None] | None = None
    drills: bool = False
    """The fault shows only in a drill, which has to be repeated."""
    patience: float = 90.0
    """Seconds within which the fault must show: a probe, say, fails only after some tries."""


@dataclass
class Hands(planting.Hands):
    """kubectl besides, with the pinned cluster."""

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        pinned = self.world.cluster.kubeconfig()
        argv = [_kubectl(self.world), f"--kubeconfig={pinned.path}", f"--context={pinned.context}", *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
        return done.stdout

    def scale(self, thing: Object, replicas: int) -> None:
        kind, name, namespace = thing
        self.kubectl(*_in(namespace), "scale", kind, name, f"--replicas={replicas}")
        if replicas == 0:
            labels = self.read(thing)["spec"]["selector"]["matchLabels"]
            selector = ",".join(f"{key}={value}" for key, value in labels.items())
            self.kubectl(*_in(namespace), "wait", "pod", "-l", selector, "--for=delete", "--timeout=90s")


def planted(fault: Fault, world: World) -> AbstractContextManager[Hands]:
    """Plant, hand over, and restore; also when planting itself stops half-way."""
    return planting.planted(Hands(world), fault.plant, objects=fault.objects, undo=fault.undo)


def _in(namespace: str) -> tuple[str, ...]:
    return ("-n", namespace) if namespace else ()


def _kubectl(world: World) -> str:
    """The same kubectl that T007 proves: the toolchain's on the embedded node, else the one on PATH."""
    if world.cluster.provider == "embedded":
        from runbook.cluster.embedded.toolchain import Toolchain

        return str(Toolchain(world.settings).binary("kubectl"))
    found = shutil.which("kubectl")
    assert found, "kubectl is not on PATH"
    return found
