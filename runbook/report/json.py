"""The outcomes of a run as one JSON document, for other programs."""

from __future__ import annotations

import json
from typing import Any

from runbook.engine.events import Result, Run
from runbook.engine.redaction import redacted
from runbook.engine.step import Status

SCHEMA = 1
"""Raised when a field changes its meaning or goes away."""


def dumps(**fields: Any) -> str:
    """The document of a command that is no run: one object, with the schema first, as that of a run."""
    return json.dumps({"schema": SCHEMA, **fields}, indent=2)


def document(run: Run) -> dict[str, Any]:
    """The run as a JSON value, without secrets: here, where a value is known before it is escaped."""
    found: dict[str, Any] = redacted(_document(run))
    return found


def _document(run: Run) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "mode": run.mode.value,
        "exit_code": run.exit_code,
        "interrupted": run.interrupted,
        "seconds": round(run.seconds, 3),
        "counts": {status.value: len(run.with_status(status)) for status in Status},
        "not_turned_on": dict(run.plan.off),
        "steps": [_step(result) for result in run.results],
    }


def text(run: Run) -> str:
    return json.dumps(document(run), indent=2)


def _step(result: Result) -> dict[str, Any]:
    step, outcome = result.step, result.outcome
    return {
        "id": step.id,
        "printed": step.printed,
        "title": step.title,
        "phase": step.phase,
        "story": step.story,
        "needs": list(step.needs),
        "status": outcome.status.value,
        "observed": outcome.observed,
        "wanted": outcome.wanted,
        "hint": outcome.hint,
        "evidence": dict(outcome.evidence),
        "seconds": round(result.seconds, 3),
        "changed": result.changed,
        "carried": result.carried,
        "before": result.before,
        "pending": result.pending,
    }
