"""Plain lines, for logs and pipes: one when a step starts to change something worth a word, one when it ends."""

from __future__ import annotations

import time
from textwrap import shorten

from runbook.engine.events import Began, Event, Finished, Run, Started, Waiting
from runbook.engine.step import Status
from runbook.report import matrix
from runbook.report.words import MARKS, PLAIN_MARKS, duration, explanation, opening, summary
from runbook.report.writer import Writer

QUIET = 10.0
"""Seconds between two lines about what one step waits for: a log is not an animation."""

LONGEST = 140
"""Characters of what a step waits for that one line shows."""


class PlainReporter:
    """Writes as things happen; every line stands by itself."""

    def __init__(self, writer: Writer, url: str = "") -> None:
        self.writer = writer
        self.url = url
        self._started: dict[str, float] = {}
        self._said: dict[str, tuple[float, str]] = {}

    def on_event(self, event: Event) -> None:
        match event:
            case Began(plan, mode):
                self.writer.line(opening(len(plan.steps), mode))
            case Started(step):
                self._started.setdefault(step.id, time.monotonic())
            case Waiting(step, text):
                self._waiting(step.id, text)
            case Finished():
                self._finished(event)
            case _:
                pass

    def end(self, run: Run) -> None:
        told = summary(run, self.url)
        if shown := matrix.shown_in(run):
            self.writer.line()
            for line in matrix.lines(shown):
                self.writer.line(line)
            self.writer.line(f"{matrix.caption(shown)}; {matrix.legend(shown, unicode=False)}")
        self.writer.line()
        self.writer.line(told.headline)
        for label, text in told.lines:
            self.writer.line(f"  {label:<8} {text}")

    def _waiting(self, step_id: str, text: str) -> None:
        now = time.monotonic()
        at, said = self._said.get(step_id, (self._started.get(step_id, now), ""))
        if now - at >= QUIET and text != said:
            self._said[step_id] = (now, text)
            elapsed = duration(now - self._started.get(step_id, now))
            self.writer.line(f"..   {step_id}  {shorten(text, LONGEST, placeholder=' ...')} ({elapsed})")

    def _finished(self, event: Finished) -> None:
        result = event.result
        outcome = result.outcome
        mark = (MARKS if self.writer.is_unicode else PLAIN_MARKS)[outcome.status]
        self.writer.line(
            f"{mark:<2} {outcome.status.value:<8} {result.step.id}  {result.step.title}"
            + (f": {outcome.observed}" if outcome.status in (Status.PASSED, Status.BLOCKED) else "")
            + (f" ({duration(result.seconds)})" if result.seconds >= 0.1 else "")
        )
        if result.before:
            self.writer.line(f"   {'was':<8} {result.before}")
        if outcome.status in (Status.FAILED, Status.UNPROVEN):
            for name, text in explanation(outcome):
                self.writer.line(f"   {name:<8} {text}")
