"""Long commands whose output is followed line by line while they run (apt-get, go build)."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import join
from typing import IO

from runbook.clients.process.environment import of_child
from runbook.clients.process.foreground import foreground
from runbook.engine.errors import CommandFailed, CommandMissing, TimedOut

KEPT_LINES = 15
"""How much of the output's end an error quotes."""


def follow(
    arguments: Sequence[str],
    on_line: Callable[[str], None],
    *,
    deadline: float,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    cancelled: threading.Event | None = None,
) -> None:
    """Run a command and hand each line of its output (both streams) to `on_line`.

    `deadline` is in seconds; `environment` is added to what `environment` gives the command. The command never
    outlives this call: an exception (Ctrl-C), the deadline and `cancelled`, once it is set, end it and its children.
    Raises `CommandMissing`, `CommandFailed`, `TimedOut`.
    """
    tail: deque[str] = deque(maxlen=KEPT_LINES)
    late = threading.Event()
    with _process(arguments, environment or {}, directory) as process:
        watch = threading.Thread(target=_watch, args=(process, deadline, late, cancelled), daemon=True)
        watch.start()
        for line in _lines(process.stdout):
            tail.append(line)
            on_line(line)
        status = process.wait()
    if late.is_set():
        raise TimedOut(f"`{join(arguments)}` did not end within {deadline:.0f} s", hint=_quote(tail))
    if status != 0:
        raise CommandFailed(f"`{join(arguments)}` ended with status {status}: {_quote(tail)}")


def output(
    arguments: Sequence[str],
    *,
    deadline: float = 60.0,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> str:
    """The output of a short command, both streams; raises as `follow` does."""
    lines: list[str] = []
    follow(arguments, lines.append, deadline=deadline, environment=environment, directory=directory)
    return "\n".join(lines)


@contextmanager
def heartbeat(say: Callable[[float], None], *, every: float = 1.0) -> Iterator[None]:
    """Call `say` with the elapsed seconds, at once and then every so often, until the block ends."""
    started = time.monotonic()
    done = threading.Event()

    def beat() -> None:
        while not done.wait(every):
            say(time.monotonic() - started)

    say(0.0)
    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextmanager
def _process(
    arguments: Sequence[str], environment: Mapping[str, str], directory: Path | None
) -> Iterator[subprocess.Popen[str]]:
    try:
        process = subprocess.Popen(
            list(arguments),
            cwd=directory,
            env=of_child(arguments, environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise CommandMissing(f"`{arguments[0]}` is not installed", hint="inv setup") from error
    with process, foreground(process):
        try:
            yield process
        except BaseException:
            _interrupt(process)
            raise


def _watch(
    process: subprocess.Popen[str], deadline: float, late: threading.Event, cancelled: threading.Event | None
) -> None:
    """End the process at its deadline, or when it is not wanted any longer."""
    end = time.monotonic() + deadline
    while process.poll() is None:
        if time.monotonic() > end:
            late.set()
        if late.is_set() or (cancelled is not None and cancelled.is_set()):
            _interrupt(process)
            return
        time.sleep(0.2)


def _interrupt(process: subprocess.Popen[str], *, patience: float = 10.0) -> None:
    """End the command politely, so that it removes its temporary files, and then all that is left of its group."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if process.poll() is None:
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, number)
                process.wait(patience)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _lines(stream: IO[str] | None) -> Iterator[str]:
    for line in stream or ():
        if stripped := line.rstrip():
            yield stripped


def _quote(tail: deque[str]) -> str:
    return " | ".join(tail) or "no output"
