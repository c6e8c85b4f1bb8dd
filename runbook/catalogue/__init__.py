"""The catalogue: all steps in order, one module per phase.

The printed list repeats and skips numbers, so a step's id is its position in that list. The printed number is
kept as `printed` and is looked up only on request: an id that this program shows always means one step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from runbook.catalogue import (
    automation,
    deployment,
    foundation,
    mesh,
    packaging,
    persistence,
    security,
    setup,
)
from runbook.engine.errors import UsageError
from runbook.engine.plan import Plan
from runbook.engine.step import Step

PRINTED = {
    "T079": "T089", "T080": "T090", "T083": "T088", "T084": "T089", "T085": "T090", "T086": "T091",
    "T087": "T092", "T095": "T105", "T096": "T101", "T097": "T102", "T098": "T103", "T099": "T104",
    "T106": "T131", "T107": "T127", "T108": "T128", "T109": "T129", "T110": "T115", "T111": "T116",
    "T112": "T117", "T113": "T118", "T114": "T119", "T116": "T131", "T117": "T127", "T118": "T128",
    "T119": "T129", "T120": "T130", "T121": "T131", "T122": "T127", "T123": "T128", "T124": "T129",
    "T125": "T130", "T126": "T131",
}  # fmt: skip
"""Canonical id -> the id that the list prints, where they differ."""


_NAMED = re.compile(r"\bT(\d{3,})(?:\s*[-–]\s*T?(\d{3,}))?\b")


def ranges(ids: Iterable[str]) -> str:
    """Ids in few words, consecutive ones as a range: "T055-T078, T132"."""
    runs: list[list[str]] = []
    for step_id in ids:
        if runs and int(step_id[1:]) == int(runs[-1][-1][1:]) + 1:
            runs[-1].append(step_id)
        else:
            runs.append([step_id])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def named_in(text: str) -> list[str]:
    """The ids that a text names, ranges among them: "T003, T025-T027" names four."""
    return [
        f"T{number:03d}"
        for first, last in _NAMED.findall(text)
        for number in range(int(first), int(last or first) + 1)
    ]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the list: its name, its user story (or none) and its steps."""

    name: str
    story: str
    steps: tuple[Step, ...]

    @property
    def span(self) -> str:
        """The ids of its steps, consecutive ones as a range: "T055-T078" or "T055-T078, T132"."""
        return ranges(step.id for step in self.steps)


PHASES = (
    Phase("setup", "", setup.STEPS),
    Phase("foundation", "", foundation.STEPS),
    Phase("deployment", "US1", deployment.STEPS),
    Phase("security", "US2", security.STEPS),
    Phase("mesh", "US3", mesh.STEPS),
    Phase("packaging", "US4", packaging.STEPS),
    Phase("persistence", "US5", persistence.STEPS),
    Phase("automation", "", automation.STEPS),
)


def join(phases: Iterable[Phase]) -> tuple[Step, ...]:
    """All steps, each with its phase, story and printed id.

    Raises ValueError for an id that is malformed or used twice, and for a need that does not come earlier: so the
    order of the list is a valid order and no cycle can be written. Ids need not be consecutive, so that a new step
    can be added to the phase that it is about.
    """
    steps = tuple(
        replace(step, phase=phase.name, story=phase.story, printed=PRINTED.get(step.id, step.id))
        for phase in phases
        for step in phase.steps
    )
    earlier: set[str] = set()
    for step in steps:
        if not re.fullmatch(r"T\d{3}", step.id):
            raise ValueError(f"{step.id!r} is not a step id such as T049")
        if step.id in earlier:
            raise ValueError(f"the id {step.id} is used twice")
        if missing := [need for need in step.needs if need not in earlier]:
            raise ValueError(f"{step.id} needs {', '.join(missing)}, which does not come before it")
        earlier.add(step.id)
    return steps


STEPS = join(PHASES)


_ENGINE, _BUILDS = "T045", frozenset({"T016", "T017", "T036"})


def engine_first(chosen: Plan) -> Plan:
    """The same plan for a node that brings the build engine, which appears as the cluster comes up: builds wait for it.

    Otherwise a build would begin in one engine and end in another, which does not hold its bases.
    """
    if _ENGINE not in chosen:
        return chosen
    return replace(
        chosen,
        steps=tuple(
            replace(step, needs=(*step.needs, _ENGINE)) if step.id in _BUILDS else step
            for step in chosen.steps
        ),
    )


def find(name: str, steps: Sequence[Step] = STEPS, *, printed: bool = False) -> Step:
    """The step of an id ("T049", "t49" or "49"); with `printed`, of the number that the original list prints.

    Raises UsageError for an unknown name, and for a printed number that several steps share, with those steps.
    """
    match = re.fullmatch(r"T?0*(\d{1,3})", name.strip().upper())
    wanted = f"T{int(match[1]):03d}" if match else name.strip()
    found = [step for step in steps if wanted == (step.printed if printed else step.id)]
    if not found:
        raise UsageError(
            f"there is no step {name!r}" + (" in the printed list" if printed else ""),
            wanted=f"one of {steps[0].id}..{max(step.id for step in steps)}",
            hint="inv tasks",
        )
    if len(found) > 1:
        candidates = ", ".join(f"{step.id} {step.title!r}" for step in found)
        raise UsageError(
            f"the list prints {wanted} for {len(found)} steps",
            wanted=f"one of their ids: {candidates}",
            hint=f"inv verify.step {found[0].id}",
        )
    return found[0]


def of_phases(*names: str) -> tuple[str, ...]:
    """The ids of all steps of the named phases."""
    return tuple(step.id for step in STEPS if step.phase in names)
