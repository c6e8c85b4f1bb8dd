"""The id of this installation: random, made once, kept in the state folder of its cluster.

Everything that we make carries it from its creation on, as `LABEL`. Removing, replacing and upgrading ask for this id,
never for a name; what was there before us never gets it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from runbook.engine.errors import RunbookError
from runbook.engine.settings import Settings

LABEL = "todo.runbook/installation"
"""Label of namespaces, custom resource definitions, Helm's records, nodes and images that we made."""

_FORM = re.compile(r"[0-9a-f]{32}")


def file(settings: Settings) -> Path:
    return settings.state / "installation"


def known(settings: Settings) -> str:
    """The id, or "" where nothing was made yet. Raises `RunbookError` for a damaged file: no other id is invented."""
    path = file(settings)
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as problem:
        raise _unreadable(path, str(problem.strerror)) from None
    if _FORM.fullmatch(text) is None:
        raise _unreadable(path, "it holds no id")
    return text


def identity(settings: Settings) -> str:
    """The id, made where there is none: whoever is about to make something calls this."""
    if found := known(settings):
        return found
    path = file(settings)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as written:
            written.write(f"{secrets.token_hex(16)}\n")
            written.flush()
            os.fsync(written.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)  # of two at the same time, one wins and both read the same id
    finally:
        draft.unlink(missing_ok=True)
    return known(settings)


def labels(settings: Settings) -> dict[str, str]:
    """What to put on something at its creation."""
    return {LABEL: identity(settings)}


def owner(thing: Mapping[str, Any] | None) -> str:
    """The id that an object of the Kubernetes API carries, or ""."""
    metadata = (thing or {}).get("metadata") or {}
    return str((metadata.get("labels") or {}).get(LABEL) or "")


def owns(settings: Settings, thing: Mapping[str, Any] | None) -> bool:
    """Whether this installation made an object of the Kubernetes API."""
    found = owner(thing)
    return bool(found) and found == known(settings)


def whose(thing: Mapping[str, Any]) -> str:
    """In words, of something that is not ours."""
    found = owner(thing)
    return f"was made by another installation ({found[:8]})" if found else "was not made by this installation"


def _unreadable(path: Path, why: str) -> RunbookError:
    return RunbookError(
        f"the id of this installation cannot be read from {path}: {why}",
        wanted="32 hexadecimal digits",
        hint=f"write into it the value of the label {LABEL} that the namespaces of this installation carry",
    )


def namespace_problem(settings: Settings, there: Mapping[str, Any] | None) -> str:
    """Empty where a namespace is ours, or there is none."""
    if there is None or owns(settings, there):
        return ""
    return f"namespace {there['metadata']['name']} {whose(there)}"
