"""The matrix in every report: coloured, plain, as a page, and in JUnit."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from rich.console import Console

from runbook.engine.events import Mode, Result, Run
from runbook.engine.plan import Plan
from runbook.engine.step import Outcome, Status, Step
from runbook.report import html, json, junit, matrix
from runbook.report.plain import PlainReporter
from runbook.report.writer import Writer


def cell(hand: str, status: str = "passed", *seen: str, **more: Any) -> dict[str, Any]:
    return {"hand": hand, "computed": "denied", "seen": list(seen), "status": status, "ways": 1, **more}


EVIDENCE: dict[str, Any] = {
    "mode": "direct",
    "ways": 5,
    "seconds": 4.2,
    "rows": ["frontend", "stranger"],
    "columns": ["backend:8000", "postgres:5432", "pods/udp"],
    "cells": {
        "frontend backend:8000": cell("A", "passed", "OPEN", "OPEN"),
        "frontend postgres:5432": cell(
            "A", "failed", "OPEN", "TIMEOUT", reasons=["frontend to postgres: <shut>"]
        ),
        "stranger backend:8000": cell("x", "passed", "TIMEOUT", "TIMEOUT"),
        "stranger postgres:5432": cell("x", "unproven"),
        "stranger pods/udp": cell("*", "passed", "OPEN", "OPEN"),
    },
    "outside": "stood in for",
}


def result(status: Status = Status.FAILED, step: str = "T078", evidence: Any = EVIDENCE) -> Result:
    return Result(
        Step(step, "Forbidden connections"), Outcome(status, "seen", "wanted", "", {"matrix": evidence})
    )


def run(*results: Result) -> Run:
    return Run(Plan(tuple(each.step for each in results), frozenset()), Mode.VERIFY, results)


def test_a_green_cell_shows_what_is_wanted_and_another_what_was_seen() -> None:
    shown = [
        matrix.cell(EVIDENCE, row, column, unicode=False).text
        for row in EVIDENCE["rows"]
        for column in EVIDENCE["columns"]
    ]
    assert shown == ["A", "T!", "", "x", "?", "o"]


def test_a_blocked_way_to_the_own_node_is_told_as_blocked() -> None:
    one = {"cells": {"frontend node:10250": cell("*", "passed", "TIMEOUT", "TIMEOUT")}}
    assert matrix.cell(one, "frontend", "node:10250", unicode=False).text == "x"


def test_plain_lines_line_up() -> None:
    lines = list(matrix.lines(EVIDENCE))
    assert lines[0].split() == ["from", "backend", "postgres", "pods"]
    assert lines[1].split() == ["8000", "5432", "udp"]
    assert lines[2].index("A") == lines[0].index("backend")
    assert lines[2].index("T!") == lines[0].index("postgres")
    assert all(line.isascii() for line in lines)


@pytest.mark.parametrize("width", [40, 60, 118])
def test_it_is_never_wider_than_it_may_be(width: int) -> None:
    wide = {**EVIDENCE, "columns": [f"backend:{port}" for port in range(8000, 8020)]}
    assert max(len(line) for line in matrix.lines(wide, width)) <= width
    assert sum(len(group) for group in matrix.blocks(wide, width)) == 20


def test_the_terminal_has_colours() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system="standard")
    for table in matrix.tables(EVIDENCE, 100):
        console.print(table)
    assert re.search(r"\x1b\[1;31m *T! ", out.getvalue())
    assert re.search(r"\x1b\[32m *● ", out.getvalue())
    assert re.search(r"\x1b\[2m *○ ", out.getvalue())


def test_a_pipe_gets_the_matrix_with_its_legend() -> None:
    out = io.StringIO()
    PlainReporter(Writer(out)).end(run(result()))
    assert "T!" in out.getvalue()
    assert "5 ways, services call each other directly" in out.getvalue()
    assert "A open and answered" in out.getvalue()


def test_a_green_matrix_is_shown_only_where_it_is_what_was_asked() -> None:
    green = result(Status.PASSED)
    other = Result(Step("T079", "Another"), Outcome(Status.PASSED, "fine"))
    assert matrix.shown_in(run(green)) is not None
    assert matrix.shown_in(run(green, other)) is None
    assert matrix.shown_in(run(result(), other)) is not None
    assert matrix.shown_in(run(other)) is None


def test_the_page_has_the_table_and_escapes_reasons() -> None:
    page = html.text(run(result()))
    assert '<table class="matrix">' in page
    assert '<td class="failed" title="frontend to postgres:5432' in page
    assert "&lt;shut&gt;" in page
    assert "<shut>" not in page


def test_the_page_of_other_steps_has_no_table() -> None:
    assert '<table class="matrix">' not in html.text(
        run(Result(Step("T001", "x"), Outcome(Status.PASSED, "fine")))
    )


def test_junit_and_json_carry_it() -> None:
    case = Xml.fromstring(junit.text(run(result()))).find("testcase")
    assert case is not None
    assert case.find("failure") is not None
    assert "T!" in (case.findtext("system-out") or "")
    assert json.document(run(result()))["steps"][0]["evidence"]["matrix"] == EVIDENCE
