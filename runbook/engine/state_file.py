"""Files that this runbook keeps: written as a whole or not at all, also when the power goes or two runs write at once.

What cannot be written or read is said in one line that names the file and a way on.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from runbook.engine.errors import RunbookError

PRIVATE = 0o600


class Damaged(RunbookError):
    """A file of ours that does not hold what we write into it."""


def write(path: Path, content: str | bytes, *, mode: int = PRIVATE) -> None:
    """Have the file hold just this; a reader sees the old content or the new. Raises `RunbookError`."""
    data = content.encode() if isinstance(content, str) else content
    draft = ""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".draft", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
        _sync_folder(path.parent)
    except BaseException as problem:
        with suppress(OSError):
            Path(draft).unlink()
        if isinstance(problem, OSError):
            raise unusable(path, problem) from None
        raise


def write_json(path: Path, content: Any, *, mode: int = PRIVATE) -> None:
    write(path, json.dumps(content, indent=2, default=str) + "\n", mode=mode)


def read_json(path: Path, shape: type = dict) -> Any:
    """What the file holds, or None where there is none. Raises `Damaged`, which names the file and a way on."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise unusable(path, problem, "read") from None
    except (ValueError, RecursionError) as problem:
        raise damaged(path, str(problem)) from None
    if not isinstance(content, shape):
        raise damaged(path, f"it holds a {type(content).__name__}")
    return content


def damaged(path: Path, why: str) -> Damaged:
    words = " ".join(why.split())[:200]
    return Damaged(
        f"{path} cannot be read: {words}", wanted="what this runbook wrote", hint=f"mv {path} {path}.broken"
    )


def unusable(path: Path, problem: OSError, doing: str = "written") -> RunbookError:
    """A folder that cannot be written to, a full disk: in one line."""
    return RunbookError(
        f"{path} cannot be {doing}: {problem.strerror or problem}",
        wanted="a state folder on a disk with room, that this user may write to",
        hint=f"ls -ld {path.parent}; df -h {path.parent}  (XDG_STATE_HOME names another place)",
    )


def _sync_folder(folder: Path) -> None:
    """The new name itself is on disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
