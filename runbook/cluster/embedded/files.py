"""Files of the node: written as a whole or not at all, also when the power goes, and read by their owner only."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600


def write_private(file: Path, content: str | bytes) -> None:
    """Have the file say just this, mode 0600; one that does already is left alone."""
    content = content.encode() if isinstance(content, str) else content
    if _says(file, content):
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as draft:
            draft.write(content)
            draft.flush()
            os.fsync(draft.fileno())
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(file.parent)


def _says(file: Path, content: bytes) -> bool:
    with suppress(OSError):
        return (
            not file.is_symlink() and file.stat().st_mode & 0o777 == PRIVATE and file.read_bytes() == content
        )
    return False


def _sync_folder(folder: Path) -> None:
    """The new name itself is on disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
