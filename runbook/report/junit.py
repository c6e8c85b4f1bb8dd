"""The outcomes of a run as JUnit XML, one test case per step: what CI systems show."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from runbook.engine.events import Result, Run
from runbook.engine.redaction import redact
from runbook.engine.step import Status
from runbook.report import matrix
from runbook.report.words import explanation

_CONTROL = {code: None for code in range(32) if code not in (9, 10, 13)}


def text(run: Run) -> str:
    """One test suite; failed is a failure, unproven and blocked are errors: what was not measured is never green."""
    suite = Xml.Element(
        "testsuite",
        name="runbook",
        tests=str(len(run.results)),
        failures=str(len(run.with_status(Status.FAILED))),
        errors=str(len(run.with_status(Status.UNPROVEN)) + len(run.with_status(Status.BLOCKED))),
        time=f"{run.seconds:.3f}",
    )
    for result in run.results:
        suite.append(_case(result))
    Xml.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suite, encoding="unicode") + "\n"


def _case(result: Result) -> Xml.Element:
    step, outcome = result.step, result.outcome
    case = Xml.Element(
        "testcase",
        classname=f"runbook.{step.phase}",
        name=f"{step.id} {step.title}",
        time=f"{result.seconds:.3f}",
    )
    if not outcome.green:
        tag = "failure" if outcome.status is Status.FAILED else "error"
        told = Xml.SubElement(case, tag, type=outcome.status.value, message=_clean(outcome.observed))
        told.text = _clean("\n".join(f"{name}: {words}" for name, words in explanation(outcome)))
    else:
        Xml.SubElement(case, "system-out").text = _clean(outcome.observed)
    if ways := matrix.matrix_of(result):
        shown = "\n".join([*matrix.lines(ways), matrix.legend(ways, unicode=False)])
        Xml.SubElement(case, "system-out").text = _clean(shown)
    return case


def _clean(words: str) -> str:
    """Redacted, and without the control characters that XML forbids."""
    return redact(words).translate(_CONTROL)
