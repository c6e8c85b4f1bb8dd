"""Control groups of a sandbox: one folder of its own in every hierarchy of the machine, version 1 and 2."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

PARENT = "todo-runbook"
"""The folder in each hierarchy that holds the sandboxes' groups."""

NEEDED = {"cpu", "cpuset", "io", "memory", "pids", "hugetlb"}
"""Controllers of the unified hierarchy that containers are limited by."""


HANDED_DOWN = "trusted.todo-runbook.handed-down"
"""An attribute of that folder: the controllers that we had the root of the hierarchy hand down, put back in the end."""


def _hierarchies() -> list[Path]:
    """Where the machine mounts its cgroup hierarchies."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return [Path(mount[1]) for mount in mounts if mount[2] in ("cgroup", "cgroup2")]


def _inherit_cpuset(group: Path) -> None:
    """A new cpuset of version 1 is empty and takes no process before it is told its processors and memory nodes."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = group / name
        if file.exists() and not file.read_text().strip():
            file.write_text((group.parent / name).read_text())


def _hand_down(group: Path) -> set[str]:
    """In the unified hierarchy a group's children have only the controllers that it hands down; returns new ones."""
    offered, handed = group / "cgroup.controllers", group / "cgroup.subtree_control"
    if not offered.exists():
        return set()
    if missing := (NEEDED & set(offered.read_text().split())) - set(handed.read_text().split()):
        handed.write_text(" ".join(f"+{controller}" for controller in sorted(missing)))
    return missing


def _noted(parent: Path) -> set[str]:
    with suppress(OSError):
        return set(os.getxattr(parent, HANDED_DOWN).decode().split())
    return set()


def _note(parent: Path, controllers: set[str]) -> None:
    """It lies on the folder itself, so that the last sandbox to go finds it, whoever made the first."""
    if controllers:
        with suppress(OSError):  # an old kernel, or version 1
            os.setxattr(parent, HANDED_DOWN, " ".join(sorted(controllers | _noted(parent))).encode())


def _remove_parent(parent: Path) -> None:
    """Fine where another sandbox is in it. A controller that somebody else has come to use by now stays."""
    controllers = _noted(parent)
    with suppress(OSError):
        parent.rmdir()
        for controller in controllers:
            with suppress(OSError):
                (parent.parent / "cgroup.subtree_control").write_text(f"-{controller}")


def create(name: str) -> list[Path]:
    """Make the sandbox's group in every hierarchy (idempotent) and return the folders."""
    groups = []
    for hierarchy in _hierarchies():
        parent = hierarchy / PARENT
        parent.mkdir(exist_ok=True)
        _note(parent, _hand_down(hierarchy))
        _inherit_cpuset(parent)
        _hand_down(parent)
        group = parent / name
        group.mkdir(exist_ok=True)
        _inherit_cpuset(group)
        groups.append(group)
    return groups


def existing(name: str) -> list[Path]:
    """The sandbox's groups that are there now."""
    return [group for root in _hierarchies() if (group := root / PARENT / name).is_dir()]


def remove(name: str, seconds: float = 5.0) -> None:
    """Remove the sandbox's groups with all that is in them; they must hold no living process.

    The kernel lets go of a group a moment after its last process ended, so that a refusal is tried again for `seconds`.
    """
    deadline = time.monotonic() + seconds
    for group in existing(name):
        while group.is_dir():
            for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
                with suppress(OSError):
                    folder.rmdir()
            with suppress(OSError):
                group.rmdir()
            if time.monotonic() > deadline:
                return
            if group.is_dir():
                time.sleep(0.02)
        _remove_parent(group.parent)
