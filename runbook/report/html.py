"""The outcomes of a run as one HTML page that needs nothing else: for people who were not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from runbook.catalogue.requirements import REQUIREMENTS, Requirement
from runbook.engine.events import Result, Run
from runbook.engine.redaction import redact, redacted
from runbook.engine.step import Status
from runbook.report import matrix, timeline
from runbook.report.words import MARKS, duration, summary


def text(run: Run) -> str:
    told = summary(run)
    pages = Environment(
        loader=PackageLoader("runbook.report"), autoescape=True, trim_blocks=True, finalize=_shown
    )
    bars = timeline.bars(run)
    page = pages.get_template("run.html.j2").render(
        headline=told.headline,
        written=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        mode=run.mode.value,
        lines=told.lines,
        phases=[(name, list(rows)) for name, rows in groupby(run.results, lambda row: row.step.phase)],
        statuses=[(status, len(run.with_status(status))) for status in Status],
        bars=bars,
        lanes=max((bar.lane for bar in bars), default=0) + 1,
        critical=timeline.critical(run),
        carried=[row for row in run.results if row.carried],
        requirements=_requirements(run),
        marks=MARKS,
        duration=duration,
        seconds=run.seconds,
        evidence=_evidence,
        matrix=_matrix,
    )
    return redact(page)


def _requirements(run: Run) -> list[tuple[Requirement, str, list[tuple[str, str]]]]:
    """Each requirement that this run looked at: whether it is proven, and the status of each of its steps."""
    seen = {result.step.id: result.outcome.status.value for result in run.results}
    found = []
    for each in REQUIREMENTS:
        steps = [(step, seen.get(step, "not asked")) for step in each.steps]
        if not any(step in seen for step in each.steps):
            continue
        proven = not each.gap and all(status == Status.PASSED for _, status in steps)
        failed = any(status == Status.FAILED for _, status in steps)
        found.append((each, "passed" if proven else "failed" if failed else "unproven", steps))
    return found


def _matrix(result: Result) -> Mapping[str, Any] | None:
    found = matrix.matrix_of(result)
    return matrix.page(found) if found else None


def _shown(value: Any) -> Any:
    """A value is redacted before it is escaped, in which form it would not be known any more."""
    return redact(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _evidence(result: Result) -> str:
    return json.dumps(redacted(result.outcome.evidence), indent=2, ensure_ascii=False)
