"""Files that a run leaves for others: tried before the run, written as a whole, and redacted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from runbook.engine import state_file
from runbook.engine.errors import RunbookError, UsageError
from runbook.engine.redaction import redact

Write = Callable[[Any], None]
Render = Callable[[Any], str]


def writers(names: Sequence[Any], forms: Mapping[str, str | Render]) -> list[Write]:
    """One for each file. `forms`: by ending what makes a document of an outcome, or the module whose `text` does.

    Raises `UsageError`, before anything was done, for a name that says no form and a place that takes no file.
    """
    return [_writer(name, forms) for name in names]


def _writer(name: Any, forms: Mapping[str, str | Render]) -> Write:
    path = Path(name if isinstance(name, str) else "")
    form = forms.get(path.suffix.lower())
    if form is None:
        raise UsageError(
            f"--report {name}" if isinstance(name, str) and name else "--report names no file",
            wanted=f"a name that ends in {', '.join(forms)}",
            hint=f"--report run{next(iter(forms))}",
        )
    _try(path)

    def write(outcome: Any) -> None:
        render: Render = import_module(form).text if isinstance(form, str) else form
        text = render(outcome)
        state_file.write(path, redact(text.rstrip("\n")) + "\n", mode=_mode(path))

    return write


def _try(path: Path) -> None:
    """A file can be put there: one is, and taken away again."""
    if path.is_dir():
        raise UsageError(
            f"--report {path}: that is a folder", wanted="a file", hint=f"--report {path}/run.json"
        )
    there = path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = path.with_name(f".{path.name}.probe")
        state_file.write(probe, "")
        probe.unlink()
        if there and not os.access(path, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except (OSError, RunbookError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else problem.observed
        raise UsageError(
            f"--report {path} cannot be written: {why}", wanted="a place that takes a file", hint="ls -ld"
        ) from None


def _mode(path: Path) -> int:
    """That of a file that is there; else what the user's mask leaves."""
    with suppress(OSError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
