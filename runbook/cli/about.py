"""What this program is and how it is set: its version, its parts, its settings."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from pydantic import SecretStr

from runbook.clients.process.commands import Commands
from runbook.cluster.embedded.parts import PARTS
from runbook.engine.errors import RunbookError
from runbook.engine.settings import Settings
from runbook.report.json import dumps
from runbook.report.writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

DISTRIBUTION = "todo-runbook"
GIT_SECONDS = 10.0
SHOWN_PARTS = ("kubernetes", "etcd", "coredns", "helm", "dapr", "traefik")


def show_settings(settings: Settings, *, as_json: bool) -> None:
    """Each setting, its value and its origin. Of a secret only whether it is set."""
    out = Writer(sys.stdout)
    rows = {}
    for key in Settings.model_fields:
        value = getattr(settings, key)
        if isinstance(value, SecretStr):
            value = "set" if value.get_secret_value() else "not set"
        rows[key] = {"value": str(value) if key == "project" else value, "origin": settings.origin(key)}
    if as_json:
        out.line(dumps(settings=rows))
        return
    width = max(map(len, rows))
    for key, row in rows.items():
        out.line(f"{key:<{width}}  {row['value']!s:<40}  {row['origin']}".rstrip())


def show_version(project: Path, *, as_json: bool) -> None:
    """The version, the commit where the project is a clone of git, and the pinned versions of the main parts."""
    out = Writer(sys.stdout)
    rows = {
        DISTRIBUTION: version(DISTRIBUTION),
        "commit": _commit(project),
        "python": platform.python_version(),
        **{part.name: part.version for part in PARTS if part.name in SHOWN_PARTS},
    }
    if as_json:
        out.line(dumps(versions=rows))
        return
    for name, text in rows.items():
        out.line(f"{name:<12}  {text}")


def _commit(project: Path) -> str:
    argv: list[str | Path] = ["git", "-C", project, "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = Commands(Settings()).run(argv, timeout=GIT_SECONDS, check=False)
    except RunbookError:  # no git here, or one that hangs
        return "unknown"
    return done.stdout.strip() or "unknown"
