"""Supervised services of a sandbox, as folders that s6-svscan understands."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import join, quote

INSIDE = Path("/run/sandbox")
"""Where a sandbox sees its own state folder, wherever that lies on the machine."""

END_SECONDS = 5
"""A process that is told to end, and has not after this, is killed."""

LOG_BYTES, LOG_FILES = 2_000_000, 3
"""A log is turned over at this size; this many old files are kept beside `current`."""


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """A program that runs in the foreground; s6 starts it again when it ends. No secret belongs into `argv`."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Sequence[Sequence[str]] = ()
    """Commands that run to their end before each start; when one fails, the start is tried again a second later."""

    def script(self) -> str:
        """The `run` file."""
        lines = ["#!/bin/sh", "set -eu", "exec 2>&1"]
        lines += [f"export {name}={quote(value)}" for name, value in sorted(self.environment.items())]
        lines += [join(command) for command in self.before]
        return "\n".join([*lines, f"exec {join(self.argv)}", ""])


def _logger(name: str) -> str:
    folder = INSIDE / "log" / name
    return f"#!/bin/sh\nexec s6-log -b n{LOG_FILES} s{LOG_BYTES} T {folder}\n"


def _write(file: Path, text: str) -> bool:
    """Write an executable of ours (it may hold a secret in its environment); whether that changed anything."""
    if file.exists() and file.read_text() == text:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    new.touch(mode=0o700)
    new.write_text(text)
    new.replace(file)
    return True


def write(folder: Path, services: Mapping[str, ServiceDefinition]) -> tuple[set[str], set[str]]:
    """Make `folder`/services hold exactly these; returns the names that were (changed or added, removed)."""
    root = folder / "services"
    root.mkdir(parents=True, exist_ok=True)
    changed = set()
    for name, service in services.items():
        (folder / "log" / name).mkdir(parents=True, exist_ok=True)
        run, logger = (
            _write(root / name / "run", service.script()),
            _write(root / name / "log/run", _logger(name)),
        )
        _write(root / name / "timeout-kill", f"{END_SECONDS * 1000}\n")
        if run or logger:
            changed.add(name)
    present = {path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")}
    removed = present - set(services)
    past = folder / "removed"  # moved, not deleted: its supervisor works in there until it has been told
    shutil.rmtree(past, ignore_errors=True)
    for name in removed:
        past.mkdir(exist_ok=True)
        (root / name).rename(past / name)
    return changed, removed
