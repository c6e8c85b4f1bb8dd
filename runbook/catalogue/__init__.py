"""The catalogue: all 131 steps in order, one module per phase.

The printed list repeats and skips numbers; the position in the list is the true numbering. Where the printed
number differs from it, the printed one is kept as an alias (`printed`), and an alias that means several steps is
refused.
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
from runbook.errors import UsageError
from runbook.step import Step

PRINTED = {
    "T079": "T089", "T080": "T090", "T083": "T088", "T084": "T089", "T085": "T090", "T086": "T091",
    "T087": "T092", "T095": "T105", "T096": "T101", "T097": "T102", "T098": "T103", "T099": "T104",
    "T106": "T131", "T107": "T127", "T108": "T128", "T109": "T129", "T110": "T115", "T111": "T116",
    "T112": "T117", "T113": "T118", "T114": "T119", "T116": "T131", "T117": "T127", "T118": "T128",
    "T119": "T129", "T120": "T130", "T121": "T131", "T122": "T127", "T123": "T128", "T124": "T129",
    "T125": "T130", "T126": "T131",
}  # fmt: skip
"""Canonical id -> the id that the list prints, where they differ."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of the list: its name, its user story (or none) and its steps."""

    name: str
    story: str
    steps: tuple[Step, ...]


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

    Raises ValueError on a gap or a duplicate in the numbering, and on a need that is not lower-numbered: with
    these refused, number order is a valid order and no cycle can be written.
    """
    steps = tuple(
        replace(step, phase=phase.name, story=phase.story, printed=PRINTED.get(step.id, step.id))
        for phase in phases
        for step in phase.steps
    )
    for number, step in enumerate(steps, start=1):
        if step.id != f"T{number:03d}":
            raise ValueError(f"step number {number} is {step.id}: the numbering has a gap or a duplicate")
        for need in step.needs:
            if not need < step.id or not re.fullmatch(r"T\d{3}", need):
                raise ValueError(f"{step.id} needs {need}, which is not lower-numbered")
    return steps


STEPS = join(PHASES)


def find(name: str, steps: Sequence[Step] = STEPS) -> Step:
    """The step of an id, canonical or printed ("T049", "t49"), or of its place in the list ("49").

    Raises UsageError for an unknown name, and for an id that means several steps; its words list them by their
    place, which is never ambiguous.
    """
    match = re.fullmatch(r"(T?)0*(\d{1,3})", name.strip().upper())
    wanted = f"T{int(match[2]):03d}" if match else name.strip()
    by_place = match is not None and not match[1]
    meant = [step for step in steps if wanted == step.id or (wanted == step.printed and not by_place)]
    if not meant:
        raise UsageError(
            f"there is no step {name!r}",
            wanted=f"one of {steps[0].id}..{steps[-1].id}",
            hint="inv tasks",
        )
    if len(meant) > 1:
        candidates = ", ".join(f"{int(step.id[1:])} = {step.id} {step.title!r}" for step in meant)
        raise UsageError(
            f"the list prints {wanted} for {len(meant)} steps",
            wanted=f"the place in the list, one of: {candidates}",
            hint=f"inv verify.step {int(meant[0].id[1:])}",
        )
    return meant[0]


def of_phases(*names: str) -> tuple[str, ...]:
    """The ids of all steps of the named phases."""
    return tuple(step.id for step in STEPS if step.phase in names)
