"""Lines of logs as a person reads them."""

from __future__ import annotations

import io

import pytest

from runbook.engine.redaction import conceal
from runbook.report.log_lines import LogPrinter, readable
from runbook.report.writer import Writer


@pytest.mark.parametrize(
    ("text", "level", "words"),
    [
        ("plain words", "", "plain words"),
        (
            '{"event": "request", "level": "info", "timestamp": "2026-01-01T00:00:00Z", "status": 200, "path": "/"}',
            "info",
            "request status=200 path=/",
        ),
        (
            '{"app_id":"todo-backend","instance":"x","level":"warning","msg":"slow","scope":"dapr","type":"log","ver":"1"}',
            "warning",
            "slow scope=dapr",
        ),
        ('{"msg": "a", "why": "two words", "nested": {"b": [1]}}', "", 'a why="two words" nested={"b": [1]}'),
        ('{"torn": ', "", '{"torn": '),
        ('{"level": null}', "none", ""),
        ("[1]", "", "[1]"),
    ],
)
def test_json_becomes_words(text: str, level: str, words: str) -> None:
    assert readable(text) == (level, words)


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_each_line_says_who_wrote_it_and_no_secret(stream: io.StringIO) -> None:
    conceal("canary-secret-4712")
    printer = LogPrinter(Writer(stream))
    printer.show(
        "backend-1",
        "daprd",
        "2026-01-01T10:20:30.123456Z",
        '{"msg":"key canary-secret-4712","level":"error"}',
    )
    printer.show("backend-1", "backend", "2026-01-01T10:20:31Z", "[bold]not markup[/bold]")
    told = stream.getvalue()
    assert "backend-1/daprd" in told
    assert "10:20:30.123" in told
    assert "ERROR" in told
    assert "key ***" in told
    assert "canary" not in told
    assert "[bold]not markup" in told
