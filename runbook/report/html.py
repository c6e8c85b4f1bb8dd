"""The outcomes of a run as one HTML page that needs nothing else: for people who were not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from runbook.engine.events import Result, Run
from runbook.engine.redaction import redact, redacted
from runbook.report import matrix
from runbook.report.words import MARKS, duration, summary


def text(run: Run) -> str:
    told = summary(run)
    pages = Environment(
        loader=PackageLoader("runbook.report"), autoescape=True, trim_blocks=True, finalize=_shown
    )
    page = pages.get_template("run.html.j2").render(
        headline=told.headline,
        lines=told.lines,
        rows=run.results,
        marks=MARKS,
        duration=duration,
        evidence=_evidence,
        matrix=_matrix,
    )
    return redact(page)


def _matrix(result: Result) -> Mapping[str, Any] | None:
    found = matrix.matrix_of(result)
    return matrix.page(found) if found else None


def _shown(value: Any) -> Any:
    """A value is redacted before it is escaped, in which form it would not be known any more."""
    return redact(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _evidence(result: Result) -> str:
    return json.dumps(redacted(result.outcome.evidence), indent=2, ensure_ascii=False)
