"""What came of mutants: a line for each while they are tried, and the count of those killed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from runbook.engine.step import Status
from runbook.report.words import MARKS, duration
from runbook.report.writer import Writer

if TYPE_CHECKING:
    from runbook.faults import Group
    from runbook.faults.trial import Verdict


def told(writer: Writer, group: Group, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Tell each verdict as it comes, and then all in one sentence."""
    width = max(len(each.name) for each in group.mutants)
    writer.line(f"{len(group.mutants)} to plant, each to be undone; {len(group.steps)} steps are watched.")
    found = []
    for each in verdicts:
        found.append(each)
        writer.line(
            f"{MARKS[each.status]}  {each.word:<8}  {each.mutant.name:<{width}}  {each.words}"
            f" ({duration(each.seconds)})"
        )
    writer.line()
    for line in summary(found):
        writer.line(line)
    return found


def summary(verdicts: Sequence[Verdict]) -> list[str]:
    """Killed of planted, and who was not. A control is none of the planted ones."""
    planted = [each for each in verdicts if each.mutant.reds]
    controls = [each for each in verdicts if not each.mutant.reds]
    killed = sum(each.status is Status.PASSED for each in planted)
    seconds = duration(sum(each.seconds for each in verdicts))
    harmless = sum(each.status is Status.PASSED for each in controls)
    lines = [
        f"{killed} of {len(planted)} mutants killed, {harmless} of {len(controls)} controls harmless, in {seconds}"
    ]
    return lines + [
        f"  {each.word:<8}  {each.mutant.name}" for each in verdicts if each.status is not Status.PASSED
    ]


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0 all killed, 1 a survivor, 3 one that could not be judged, or none at all."""
    if any(each.status is Status.FAILED for each in verdicts):
        return 1
    return 0 if verdicts and all(each.status is Status.PASSED for each in verdicts) else 3


def as_json(group: Group, verdicts: Sequence[Verdict]) -> str:
    planted = [each for each in verdicts if each.mutant.reds]
    return json.dumps(
        {
            "group": group.name,
            "steps": list(group.steps),
            "planted": len(planted),
            "killed": sum(each.status is Status.PASSED for each in planted),
            "exit_code": exit_code(verdicts),
            "mutants": [
                {
                    "name": each.mutant.name,
                    "reds": sorted(each.mutant.reds),
                    "verdict": each.word,
                    "words": each.words,
                    "shown": None if each.shown is None else round(each.shown, 2),
                    "seconds": round(each.seconds, 2),
                }
                for each in verdicts
            ],
        },
        indent=2,
    )
