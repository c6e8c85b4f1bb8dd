"""Commands that must not outlive the run that started them: an interruption ends them all.

They run in process groups of their own, so that Ctrl-C on the terminal does not reach them by itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_running: set[subprocess.Popen[Any]] = set()
_lock = threading.Lock()


@contextmanager
def foreground(process: subprocess.Popen[Any]) -> Iterator[None]:
    """While the block runs, the process belongs to the run and ends with it."""
    with _lock:
        _running.add(process)
    try:
        yield
    finally:
        with _lock:
            _running.discard(process)


def end_all() -> None:
    """Ask the group of every such process to stop; whoever waits for one sees it end."""
    with _lock:
        processes = list(_running)
    for process in processes:
        if process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGTERM)
