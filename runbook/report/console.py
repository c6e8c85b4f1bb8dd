"""The live terminal display: what runs, for how long, what it waits for; below it, line by line, what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, OverflowMethod, RenderableType, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from runbook.engine.events import Began, Event, Finished, Mode, Paused, Result, Run, Started, Waiting
from runbook.engine.plan import Plan
from runbook.engine.redaction import redact
from runbook.engine.step import Status, Step
from runbook.report import matrix
from runbook.report.words import COLOURS, MARKS, PLAIN_MARKS, clock, duration, explanation, summary
from runbook.report.writer import Writer

SHOWN = 8
"""Running steps shown at a time, those that run longest first."""


@dataclass
class _Running:
    step: Step
    since: float = field(default_factory=time.monotonic)
    text: str = ""


class ConsoleReporter:
    """A display that redraws itself a few times a second while the run goes on."""

    def __init__(self, writer: Writer, url: str = "", console: Console | None = None) -> None:
        self.console = console or Console(file=writer.stream, highlight=False, soft_wrap=False)
        self.url = url
        self._overflow: OverflowMethod = "ellipsis" if writer.is_unicode else "crop"
        self.marks = MARKS if writer.is_unicode else PLAIN_MARKS
        self._running: dict[str, _Running] = {}
        self._results: list[Result] = []
        self._plan: Plan | None = None
        self._mode = Mode.VERIFY
        self._begin = time.monotonic()
        self._spinner = Spinner("dots" if writer.is_unicode else "line")
        self._live = Live(self, console=self.console, refresh_per_second=8, transient=True)

    def on_event(self, event: Event) -> None:
        match event:
            case Began(plan, mode):
                self._plan, self._mode = plan, mode
                self._begin = time.monotonic()
                self._live.start()
            case Started(step):
                self._running[step.id] = _Running(step)
            case Waiting(step, text):
                if step.id in self._running:
                    self._running[step.id].text = redact(text)
            case Paused(step):
                self._running.pop(step.id, None)
            case Finished(result):
                self._running.pop(result.step.id, None)
                self._results.append(result)
                for line in self._lines(result):
                    self.console.print(line)

    def end(self, run: Run) -> None:
        self._live.stop()
        told = summary(run, self.url)
        colour = "green" if run.exit_code == 0 else "red" if run.with_status(Status.FAILED) else "yellow"
        troubles = [result for result in run.results if not result.outcome.green]
        self._matrix(run)
        if troubles and len(run.results) > self.console.height:  # else they are still to be seen
            self._again(troubles)
        self.console.print()
        self.console.print(Text(redact(told.headline), style=f"bold {colour}"))
        for label, text in told.lines:
            style = "bold underline" if label == "open" else ""
            self.console.print(Text(f"  {label:<8} ", style="dim").append(Text(redact(text), style=style)))

    def _matrix(self, run: Run) -> None:
        shown = matrix.shown_in(run)
        if shown is None:
            return
        unicode = self.marks is MARKS
        for table in matrix.tables(shown, self.console.width, unicode=unicode):
            self.console.print()
            self.console.print(table)
        self.console.print()
        self.console.print(Text(redact(matrix.caption(shown)), style="dim"))
        self.console.print(Text(matrix.legend(shown, unicode=unicode), style="dim"))

    def _again(self, troubles: list[Result]) -> None:
        """What did not pass, once more at the end, where it is read; the blocked ones in one line."""
        self.console.print()
        for result in troubles:
            if result.outcome.status is not Status.BLOCKED:
                for line in self._lines(result):
                    self.console.print(line)
        blocked = [result.step.id for result in troubles if result.outcome.status is Status.BLOCKED]
        if blocked:
            self.console.print(Text(f"  blocked by these: {', '.join(blocked)}", style="dim"))

    def _lines(self, result: Result) -> Iterator[RenderableType]:
        outcome = result.outcome
        colour = COLOURS[outcome.status]
        line = Text(f"{self.marks[outcome.status]:<2}", style=colour)
        line.append(f"{outcome.status.value:<9}", style=colour)
        line.append(f"{result.step.id}  ", style="bold")
        line.append(result.step.title)
        if outcome.green:
            line.append(f"  {redact(outcome.observed)}", style="dim")
        if result.seconds >= 0.1:
            line.append(f"  {duration(result.seconds)}", style="dim" if result.seconds < 5 else "cyan")
        if outcome.green:
            line.truncate(self.console.width, overflow=self._overflow)
        yield line
        if not outcome.green and outcome.status is not Status.BLOCKED:
            told = Table.grid(padding=(0, 1, 0, 0))  # what is longer than a line goes on below itself
            told.add_column(min_width=17, style="dim")
            told.add_column(overflow="fold")
            for name, text in explanation(outcome):
                told.add_row(f"          {name:<7}", Text(redact(text)))
            yield told
        elif outcome.status is Status.BLOCKED:
            yield Padding(Text(redact(outcome.observed), style="dim"), (0, 0, 0, 11))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        now = time.monotonic()
        longest_first = sorted(self._running.values(), key=lambda running: running.since)
        table = Table.grid(padding=(0, 1))
        for running in longest_first[:SHOWN]:
            words = Text(running.step.title, no_wrap=True, overflow=self._overflow)
            if running.text:
                words.append(f"  {running.text}", style="dim")
            table.add_row(
                self._spinner,
                Text(running.step.id, style="bold"),
                Text(clock(now - running.since), style="cyan", justify="right"),
                words,
            )
        yield table
        rest = len(longest_first) - SHOWN
        yield self._total(now, rest)

    def _total(self, now: float, rest: int) -> Text:
        total = len(self._plan.steps) if self._plan else 0
        passed = sum(result.outcome.green for result in self._results)
        line = Text(f"{clock(now - self._begin)}  ", style="bold")
        line.append(f"{passed} of {total} passed", style="green")
        for status in (Status.FAILED, Status.UNPROVEN, Status.BLOCKED):
            many = sum(result.outcome.status is status for result in self._results)
            if many:
                line.append(f", {many} {status.value}", style=COLOURS[status])
        if rest > 0:
            line.append(f"; {rest} more running", style="dim")
        return line
