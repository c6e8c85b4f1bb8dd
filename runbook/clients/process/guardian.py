"""What a run started ends with it, however it ends: kill -9, a crash, a closed terminal.

A process of its own, in a session of its own, holds the run's lock and waits for the run to end. Whatever then still
carries the run's mark in its environment, on whatever way it was started, is told to end, and after a while made to;
only then is the lock free. What is meant to outlive a run (the node) is started without the mark.

Runs as a program, of the standard library alone: `python -I -S guardian.py MARK`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

GRACE = 8.0
"""Seconds between SIGTERM and SIGKILL: Helm writes down how its release stands."""

LIMIT = 14.0
"""Seconds after which even what cannot be ended is left."""


def marked(mark: str, proc: Path = Path("/proc")) -> list[int]:
    """The processes that carry the mark, but for this one; those of others cannot be read, and are not ours."""
    found = []
    for folder in proc.glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def end(mark: str, grace: float = GRACE, limit: float = LIMIT) -> list[int]:
    """End all that carry the mark, also what they start meanwhile; returns what did not end."""
    began = time.monotonic()
    told: set[int] = set()
    while left := marked(mark):
        spent = time.monotonic() - began
        if spent > limit:
            return left
        for process in left:
            if spent > grace or process not in told:
                with suppress(OSError):
                    os.kill(process, signal.SIGKILL if spent > grace else signal.SIGTERM)
        told.update(left)
        time.sleep(0.05)
    return []


def main() -> None:
    mark = sys.argv[1]
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(each, signal.SIG_IGN)
    with suppress(OSError):
        while os.read(0, 64):
            pass
    end(mark)


if __name__ == "__main__":
    main()
