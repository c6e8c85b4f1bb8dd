"""Files of the node: read by their owner only, and written only where they say something else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from runbook.engine import state_file


def write_private(file: Path, content: str | bytes) -> None:
    """Have the file say just this, mode 0600; one that does already is left alone."""
    content = content.encode() if isinstance(content, str) else content
    if not _says(file, content):
        state_file.write(file, content)


def _says(file: Path, content: bytes) -> bool:
    with suppress(OSError):
        permissions = file.stat().st_mode & 0o777
        return not file.is_symlink() and permissions == state_file.PRIVATE and file.read_bytes() == content
    return False
