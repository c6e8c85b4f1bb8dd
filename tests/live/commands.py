"""Running `inv` on the live tests' own cluster, as a person would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "TODO_CLUSTER_NAME": os.environ.get("TODO_CLUSTER_NAME", "live"),
    "TODO_HOST": os.environ.get("TODO_HOST", "live.todo.local"),
}
"""A cluster and a host name of its own, so that a developer's `todo` is not touched."""

PROVEN = tuple(f"T{number:03d}" for number in range(1, 55))
"""The steps that are built and must be green."""

LONGEST = 3000.0
"""Seconds after which a command counts as hung; a cold toolchain takes most of an hour on a slow machine."""


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.stdout))

    def statuses(self) -> dict[str, str]:
        return {step["id"]: step["status"] for step in self.document["steps"]}


def inv(*words: str, environment: dict[str, str] | None = None) -> Answer:
    """Run `inv` as a person would, with the live tests' cluster."""
    done = subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=PROJECT,
        env=os.environ | ENVIRONMENT | (environment or {}),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        stdin=subprocess.DEVNULL,
    )
    return Answer(done.returncode, done.stdout, done.stderr)
