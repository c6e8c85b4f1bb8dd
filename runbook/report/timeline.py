"""When each step of a run worked: bars in as few rows as keep them apart, and the chain that the run waited for."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.engine.events import Result, Run

SHORTEST = 0.3
"""Percent of the width below which a bar could not be seen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One span of a step. `left` and `width` are percent of the run, `lane` counts from 0."""

    result: Result
    lane: int
    left: float
    width: float
    critical: bool


def bars(run: Run) -> list[Bar]:
    """Nothing for a run whose steps do not say when they worked (one that was blocked did not)."""
    spans = [(begin, end, result) for result in run.results for begin, end in result.spans]
    whole = max([run.seconds, *(end for _, end, _ in spans)], default=0.0)
    if not spans or whole <= 0:
        return []
    chain = set(critical(run))
    lanes: list[float] = []
    found = []
    for begin, end, result in sorted(spans, key=lambda span: (span[0], span[1])):
        shown = max(end, begin + whole * SHORTEST / 100)
        lane = next((number for number, free in enumerate(lanes) if free <= begin), len(lanes))
        lanes[lane : lane + 1] = [shown]
        width = (shown - begin) / whole * 100
        left = min(begin / whole * 100, 100 - width)
        found.append(Bar(result, lane, round(left, 2), round(width, 2), result.step.id in chain))
    return found


def critical(run: Run) -> list[str]:
    """From the step that ended last back to the first, each time to the need that ended last."""
    ends = {result.step.id: max(end for _, end in result.spans) for result in run.results if result.spans}
    by_id = {result.step.id: result.step for result in run.results}
    if not ends:
        return []
    chain = [max(ends, key=lambda step_id: ends[step_id])]
    while needs := [need for need in by_id[chain[-1]].needs if need in ends and need not in chain]:
        chain.append(max(needs, key=lambda need: ends[need]))
    return chain[::-1]
