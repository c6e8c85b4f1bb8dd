"""One run at a time on a cluster: a file lock that ends with its process, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from runbook.errors import UsageError


@contextmanager
def one_run(folder: Path, command: str, *, alone: bool = True) -> Iterator[None]:
    """Hold the cluster's run lock; runs that only ask (`alone` False) may go beside each other.

    Raises UsageError, which says who holds it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "run.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(path)
            raise UsageError(
                f"another run works on this cluster: {holder}",
                wanted="one run at a time",
                hint="wait for it, or stop it with Ctrl-C where it runs",
            ) from None
        if alone:
            os.ftruncate(descriptor, 0)
            who = {"pid": os.getpid(), "command": command, "since": datetime.now().astimezone().isoformat()}
            os.write(descriptor, json.dumps(who).encode())
        yield
    finally:
        os.close(descriptor)


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text())
        return f"`{who['command']}`, process {who['pid']}, since {who['since'][11:19]}"
    except (OSError, ValueError, KeyError):
        return "`inv verify`"
