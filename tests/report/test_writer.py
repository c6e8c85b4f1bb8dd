"""The door to a stream: whatever the stream is, a line is no crash."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console
from rich.text import Text

from runbook.engine.events import Finished, Result
from runbook.engine.step import Step, passed
from runbook.report.console import ConsoleReporter
from runbook.report.writer import Writer


def stream(encoding: str) -> tuple[io.TextIOWrapper, io.BytesIO]:
    raw = io.BytesIO()
    return io.TextIOWrapper(raw, encoding=encoding, write_through=True), raw


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_a_stream_that_is_not_utf_8_shows_what_it_can(encoding: str) -> None:
    text, raw = stream(encoding)
    Writer(text).line("an ellipsis \u2026 and a tick \u2714")
    assert raw.getvalue() == b"an ellipsis ? and a tick ?\n"


def test_a_live_display_on_such_a_terminal_is_no_crash() -> None:
    text, raw = stream("ascii")
    writer = Writer(text)
    console = Console(file=text, force_terminal=True, width=30)
    reporter = ConsoleReporter(writer, console=console)
    result = Result(Step("T001", "A title that is much too long for thirty columns"), passed("\u2026 seen"))
    reporter.on_event(Finished(result, 1, 1))
    console.print(Text("\u2026"))
    assert b"T001" in raw.getvalue()


def test_a_closed_stream_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a shell ran `inv status >&-`."""
    monkeypatch.setattr(sys, "stdout", None)
    writer = Writer(sys.stdout)
    writer.line("nobody reads this")
    assert not writer.is_terminal
