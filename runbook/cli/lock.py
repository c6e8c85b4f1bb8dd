"""One run at a time on a cluster: a file lock that ends with its process and all that it started, however they end."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from runbook.clients.process import guardian
from runbook.clients.process.ending import orderly
from runbook.engine import state_file
from runbook.engine.errors import UsageError

MARK = "RUNBOOK_RUN"
"""The variable that a run and all its children carry; a run within a run carries both names."""

PATIENCE = guardian.LIMIT + 2
"""Seconds to wait where the run that held the lock is gone, until all that it started is."""


@contextmanager
def one_run(folder: Path, command: str, *, alone: bool = True) -> Iterator[None]:
    """Hold the cluster's run lock; runs that only ask (`alone` False) may go beside each other.

    Meanwhile SIGTERM and SIGHUP are interruptions; afterwards nothing that was started here is left. Raises UsageError,
    which says who holds the lock, or why the state folder cannot be used.
    """
    path = folder / "run.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        told = state_file.unusable(folder, problem, "used")
        raise UsageError(told.observed, wanted=told.wanted, hint=told.hint) from None
    try:
        with orderly():
            _take(descriptor, path, alone)
            _sign(descriptor, path, command, alone)
            try:
                with _guarded(descriptor):
                    yield
            finally:
                if alone:
                    os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, alone: bool) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            return
        holders = _holders(path)
        if holders or time.monotonic() > deadline:
            who = ", ".join(holders) or "one that ended, and something that it started has not"
            raise UsageError(
                f"another run works on this cluster: {who}",
                wanted="one run at a time",
                hint="wait for it, or stop it with Ctrl-C where it runs",
            )
        time.sleep(0.1)


def _sign(descriptor: int, path: Path, command: str, alone: bool) -> None:
    """Write down who holds the lock: one that is alone instead of all before, others beside them."""
    now = datetime.now().astimezone().isoformat()
    who = {"pid": os.getpid(), "born": _born(os.getpid()), "command": command, "since": now}
    try:
        if alone:
            os.ftruncate(descriptor, 0)
        os.write(descriptor, (json.dumps(who) + "\n").encode())
    except OSError as problem:
        told = state_file.unusable(path, problem)
        raise UsageError(told.observed, wanted=told.wanted, hint=told.hint) from None


def _holders(path: Path) -> list[str]:
    """The runs that wrote themselves down and still are; a number may be another process's by now."""
    found = []
    with suppress(OSError):
        for line in path.read_text(errors="replace").splitlines():
            with suppress(ValueError, KeyError, TypeError):
                who: dict[str, Any] = json.loads(line)
                if _lives(int(who["pid"]), who.get("born")):
                    found.append(
                        f"`{who['command']}`, process {who['pid']}, since {str(who['since'])[11:19]}"
                    )
    return found


def _lives(pid: int, born: object) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return born in (None, "") or _born(pid) == born


def _born(pid: int) -> str:
    """When a process began, in ticks of this boot; empty where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


@contextmanager
def _guarded(descriptor: int) -> Iterator[None]:
    """Mark this run and its children, and have somebody end them who survives it. Without /proc there is nobody."""
    if not Path("/proc/self/environ").exists():
        yield
        return
    own, before = secrets.token_hex(12), os.environ.get(MARK, "")
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__, own],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(descriptor,),  # the lock is free when both have closed it
        start_new_session=True,
        env={},
        cwd="/",
    )
    os.environ[MARK] = f"{before}/{own}"
    try:
        yield
    finally:
        if before:
            os.environ[MARK] = before
        else:
            os.environ.pop(MARK, None)
        assert watcher.stdin is not None
        watcher.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            watcher.wait(PATIENCE)
