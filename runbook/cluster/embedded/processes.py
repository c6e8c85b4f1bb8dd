"""The processes of a sandbox, found by the mark that process 1 and all that it starts carry in their environment."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MARK = "TODO_SANDBOX_FOLDER"
"""The variable whose value is the sandbox's folder."""

PROC = Path("/proc")


def of(folder: Path) -> list[int]:
    """All processes that carry the mark of this folder, by the machine's numbers."""
    numbers = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    return sorted(pid for pid in numbers if _carries_mark(pid, folder))


def is_first(pid: int, folder: Path) -> bool:
    """Whether this is process 1 of the sandbox of this folder: it carries the mark, and is number 1 one level down."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return False
    numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    return numbers[1:] == ["1"] and _carries_mark(pid, folder)


def began(pid: int) -> float:
    """When the process was started, in seconds since the epoch, to about a second."""
    fields = (
        (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    )  # the name before may hold anything
    boot = next(
        line.split()[1] for line in (PROC / "stat").read_text().splitlines() if line.startswith("btime")
    )
    return int(boot) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def command(pid: int) -> str:
    """Its command line, or that it has ended."""
    with suppress(OSError):
        words = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return words.strip()
    return "ended"


def _carries_mark(pid: int, folder: Path) -> bool:
    with suppress(OSError):
        environment = (PROC / str(pid) / "environ").read_bytes()
        return f"{MARK}={folder}".encode() in environment.split(b"\0")
    return False
