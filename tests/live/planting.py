"""Planting faults: a change of the live world that is undone exactly, whatever the test found."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from runbook.world import World

READY = 180.0
"""Seconds that the application has to recover once a fault is gone."""

Object = tuple[str, str, str]
"""Kind, name, namespace ("" for objects of the cluster)."""

BACKEND: Object = ("deployment", "backend", "todo")
FRONTEND: Object = ("deployment", "frontend", "todo")
MCP_SERVER: Object = ("deployment", "mcp-server", "todo")


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
class Hands:
    """kubectl with the pinned cluster, and the world."""

    world: World
    kept: dict[str, Any] = field(default_factory=dict)

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        pinned = self.world.cluster.kubeconfig()
        argv = [_kubectl(self.world), f"--kubeconfig={pinned.path}", f"--context={pinned.context}", *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
        return done.stdout

    def patch(self, thing: Object, *operations: dict[str, Any]) -> None:
        """Apply JSON patch operations to an object."""
        kind, name, namespace = thing
        self.kubectl(*_in(namespace), "patch", kind, name, "--type=json", "-p", json.dumps(operations))

    def scale(self, thing: Object, replicas: int) -> None:
        kind, name, namespace = thing
        self.kubectl(*_in(namespace), "scale", kind, name, f"--replicas={replicas}")
        if replicas == 0:
            labels = self.read(thing)["spec"]["selector"]["matchLabels"]
            selector = ",".join(f"{key}={value}" for key, value in labels.items())
            self.kubectl(*_in(namespace), "wait", "pod", "-l", selector, "--for=delete", "--timeout=90s")

    def read(self, thing: Object) -> dict[str, Any]:
        kind, name, namespace = thing
        return dict(json.loads(self.kubectl(*_in(namespace), "get", kind, name, "-o", "json")))

    def restore(self, thing: Object, original: dict[str, Any]) -> None:
        """Make the object's wanted state what it was; re-create it where it was deleted."""
        kind, name, namespace = thing
        wanted = {key: value for key, value in original.items() if key != "status"}
        metadata = {
            key: value
            for key, value in original["metadata"].items()
            if key not in ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields")
        }
        wanted["metadata"] = metadata
        there = self.kubectl(*_in(namespace), "get", kind, name, "--ignore-not-found", "-o", "name").strip()
        self.kubectl(*_in(namespace), "replace" if there else "create", "-f", "-", stdin=json.dumps(wanted))


@contextmanager
def planted(fault: Fault, world: World) -> Iterator[Hands]:
    """Plant, hand over, and restore; also when planting itself stops half-way."""
    hands = Hands(world)
    originals = {thing: hands.read(thing) for thing in fault.objects}
    try:
        fault.plant(hands)
        yield hands
    finally:
        for thing, original in originals.items():
            hands.restore(thing, original)
        if fault.undo is not None:
            fault.undo(hands)


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
