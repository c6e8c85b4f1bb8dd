"""How a run ends when it is told to: by Ctrl-C, SIGTERM or the end of its terminal, always as an interruption.

What the launcher had ignored stays ignored: `nohup inv deploy` goes on without its terminal, and a job in the
background of a script is not for Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def orderly() -> Iterator[None]:
    """SIGTERM and SIGHUP end what runs meanwhile as Ctrl-C does: with what was done, and with all that was started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    terminals = [number for number in (0, 1, 2) if _is_terminal(number)]

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _leave(terminals)
        raise KeyboardInterrupt

    heeded = [
        each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN
    ]
    previous = {each: signal.signal(each, interrupt) for each in heeded}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals that end a run wait until this is done: what is being restored has bounded deadlines of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    late: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, _frame: late.append(number))
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        if late:
            raise KeyboardInterrupt


def _is_terminal(number: int) -> bool:
    with suppress(OSError):
        return os.isatty(number)
    return False


def _leave(terminals: list[int]) -> None:
    """A terminal that hung up fails every write: nobody reads the rest of what is said."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in terminals:
        os.dup2(nowhere, number)
    os.close(nowhere)
