"""The words that all human reports share: durations, status marks, the summary of a run."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.engine.events import Mode, Result, Run
from runbook.engine.step import Outcome, Status

MARKS = {Status.PASSED: "✔", Status.FAILED: "✘", Status.UNPROVEN: "?", Status.BLOCKED: "-"}
PLAIN_MARKS = {Status.PASSED: "ok", Status.FAILED: "!!", Status.UNPROVEN: "??", Status.BLOCKED: "--"}
COLOURS = {
    Status.PASSED: "green",
    Status.FAILED: "red",
    Status.UNPROVEN: "yellow",
    Status.BLOCKED: "bright_black",
}

LONGEST = 4
"""How many of the longest steps a summary names."""

SHOWN_LONG = 1.0
"""Seconds below which a step is not worth naming among the longest."""


def duration(seconds: float) -> str:
    """12 ms, 3.4 s, 48 s, 2 min 05 s, 1 h 02 min."""
    if seconds < 0.95:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def clock(seconds: float) -> str:
    """0:07, 12:34, 1:02:03: an elapsed time that counts up in place."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def explanation(outcome: Outcome) -> list[tuple[str, str]]:
    """What a person needs who meets an outcome that is not green: seen, wanted, try."""
    parts = [("seen", outcome.observed), ("wanted", outcome.wanted), ("try", outcome.hint)]
    return [(name, text) for name, text in parts if text]


def opening(steps: int, mode: Mode) -> str:
    """The first line of a run."""
    rest = "nothing will be changed" if mode is Mode.VERIFY else "what is missing will be created"
    return f"Checking {steps} step{'s' * (steps != 1)}; {rest}."


def counts(run: Run) -> str:
    """`54 of 54 steps passed` or `51 of 54 steps passed, 1 failed, 2 blocked`."""
    words = [f"{len(run.with_status(Status.PASSED))} of {len(run.plan.steps)} steps passed"]
    words += [
        f"{len(run.with_status(status))} {status.value}"
        for status in (Status.FAILED, Status.UNPROVEN, Status.BLOCKED)
        if run.with_status(status)
    ]
    undone = len(run.plan.steps) - len(run.results)
    if undone:
        words.append(f"{undone} not reached")
    return ", ".join(words)


def longest(run: Run) -> list[Result]:
    """The steps that took longest, the longest first."""
    steps = sorted(run.results, key=lambda result: result.seconds, reverse=True)
    return [result for result in steps[:LONGEST] if result.seconds >= SHOWN_LONG]


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended, in words."""

    headline: str
    lines: tuple[tuple[str, str], ...]
    """Label and text."""


def summary(run: Run, url: str = "") -> Summary:
    """The last words of a run; success is said aloud, with the address where the application answers."""
    changed = sum(result.changed for result in run.results)
    if run.interrupted:
        headline = f"Interrupted after {duration(run.seconds)}: {counts(run)}"
    else:
        headline = f"{counts(run)[0].upper()}{counts(run)[1:]} in {duration(run.seconds)}"
    lines = []
    if run.mode is Mode.APPLY:
        said = f"{changed} step{'s' * (changed != 1)} changed something"
        lines.append(("changed", said if changed else "nothing: everything was up to date"))
    if run.plan.off:
        for command in dict.fromkeys(run.plan.off.values()):
            steps = [step for step, by in run.plan.off.items() if by == command]
            lines.append(("off", f"{', '.join(steps)}: not turned on ({command})"))
    if longest(run):
        lines.append(
            ("longest", ", ".join(f"{result.step.id} {duration(result.seconds)}" for result in longest(run)))
        )
    if run.interrupted:
        lines.append(("resume", "run the same command again; passed steps are checked again, not done again"))
    elif run.exit_code == 0 and url:
        lines.extend(
            ("proved", f"{result.step.title}: {result.outcome.observed} ({result.step.id})")
            for result in run.results
            if result.step.id in ("T052", "T053", "T054")
        )
        lines.append(("open", url))
    return Summary(headline, tuple(lines))
