"""Plant a mutant, ask the steps, restore, see that all is green again. Prints nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from runbook import catalogue
from runbook.engine.attempt import attempt
from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable
from runbook.engine.events import Mode
from runbook.engine.step import Outcome, Status
from runbook.engine.waiting import NotYet, eventually
from runbook.faults import Group, Mutant
from runbook.faults.planting import Hands, planted, sweep

if TYPE_CHECKING:
    from runbook.engine.journal import Journal
    from runbook.world import World

HEALED = 120.0
"""Seconds until all is green again once a mutant is gone: a rollout takes some."""

MEND = "inv secure; for Dapr inv dapr"

Outcomes = Mapping[str, Outcome]
Judgement = tuple[Status, str, float | None]
"""The status of a verdict, its words, and the seconds until the fault showed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a mutant: passed is killed, failed survived, unproven could not be judged."""

    mutant: Mutant
    status: Status
    words: str
    seconds: float = 0.0
    shown: float | None = None
    """Seconds from the fault until all its steps were red; None where they were not, or none had to be."""

    @property
    def word(self) -> str:
        if not self.mutant.reds and self.status is Status.PASSED:
            return "harmless"
        return {Status.PASSED: "killed", Status.FAILED: "survived"}.get(self.status, self.status.value)


def run(world: World, group: Group, journal: Journal) -> Iterator[Verdict]:
    """Each mutant's verdict, one after another.

    Raises `Unmeasurable` where a step is not green before anything is planted, and `TimedOut` where one stays red after
    a mutant was undone: nothing more is planted then. Raises `WrongCluster` before anything is written.
    """
    if group.makes or any(mutant.elsewhere is None for mutant in group.mutants):
        world.api.guard()
        sweep(world, group.makes)
    ask = partial(_ask, world, journal)
    _green_before(ask(group.steps))
    for mutant in group.mutants:
        began = time.monotonic()
        if mutant.elsewhere is not None:
            status, words, shown = _try_copy(world, mutant, group.files, journal)
        else:
            status, words, shown = _try(world, mutant, f"{group.name}/{mutant.name}", group.steps, ask)
            _green(f"{mutant.name!r} was undone", mutant.reds | mutant.unproven, ask, HEALED)
        yield Verdict(mutant, status, words, time.monotonic() - began, shown)
    _green("the last mutant was undone", group.steps, ask, HEALED)


def _try_copy(world: World, mutant: Mutant, files: tuple[str, ...], journal: Journal) -> Judgement:
    """Nothing is changed but a copy, of which the steps are asked; the half of a step that asks the cluster is not."""
    assert mutant.elsewhere is not None
    try:
        with mutant.elsewhere(world) as other:
            return _watched(mutant, Hands(other), files, partial(_ask, other, journal, written=True))
    except RunbookError as problem:
        return Status.UNPROVEN, f"could not be planted or undone: {problem}", None


def _try(
    world: World,
    mutant: Mutant,
    name: str,
    steps: tuple[str, ...],
    ask: Callable[[Iterable[str]], Outcomes],
) -> Judgement:
    try:
        with planted(
            Hands(world), mutant.plant, objects=mutant.objects, undo=mutant.undo, name=name
        ) as hands:
            return _watched(mutant, hands, steps, ask)
    except RunbookError as problem:
        return Status.UNPROVEN, f"could not be planted or undone: {problem}", None


def _watched(
    mutant: Mutant, hands: Hands, steps: tuple[str, ...], ask: Callable[[Iterable[str]], Outcomes]
) -> Judgement:
    """Ask until the fault shows in all its steps, then the others, then what else must hold meanwhile."""
    began = time.monotonic()
    seen: dict[str, Outcome] = {}
    touched = mutant.reds | mutant.unproven

    def shown() -> None:
        seen.update(ask(touched))
        if late := [step for step in touched if not _shows(mutant, step, seen[step])]:
            raise NotYet(f"{', '.join(sorted(late))} not as wanted")

    try:
        eventually(shown, timeout=mutant.patience, every=0.1, slowest=0.5, wanted="red steps")
    except TimedOut:
        late = [seen[step].status for step in touched if not _shows(mutant, step, seen[step])]
        status = Status.UNPROVEN if set(late) <= {Status.UNPROVEN, Status.BLOCKED} else Status.FAILED
        return status, "; ".join(f"{step} {_told(seen[step])}" for step in sorted(touched)), None
    shown_after = time.monotonic() - began if touched else None
    others = [step for step in steps if step not in touched]
    try:
        _green(f"{mutant.name!r} was planted", others, ask, mutant.settles)
    except TimedOut as astray:
        return Status.FAILED, f"red as well {astray.observed}", shown_after
    words = f"{', '.join(sorted(mutant.reds))} in {shown_after:.1f} s" if shown_after else "all stayed green"
    words += "".join(f"; {step} unproven" for step in sorted(mutant.unproven))
    if mutant.meanwhile is not None:
        try:
            words += f"; {mutant.meanwhile(hands)}"
        except RunbookError as problem:
            status = Status.UNPROVEN if isinstance(problem, Unmeasurable) else Status.FAILED
            return status, f"{words}; meanwhile: {problem}", shown_after
    return Status.PASSED, words, shown_after


def _shows(mutant: Mutant, step: str, outcome: Outcome) -> bool:
    if step in mutant.unproven:
        return outcome.status is Status.UNPROVEN
    return outcome.status is Status.FAILED and re.search(mutant.cause, outcome.observed) is not None


def _told(outcome: Outcome) -> str:
    return f"{outcome.status.value} ({outcome.observed[:160]})"


def _green_before(outcomes: Outcomes) -> None:
    red = [step for step in sorted(outcomes) if not outcomes[step].green]
    if red:
        raise Unmeasurable(
            f"before anything is planted: {'; '.join(f'{step} {_told(outcomes[step])}' for step in red)}",
            wanted="all steps of the group green",
            hint=MEND,
        )


def _green(when: str, steps: Iterable[str], ask: Callable[[Iterable[str]], Outcomes], seconds: float) -> None:
    def green() -> None:
        red = {step: outcome for step, outcome in ask(steps).items() if not outcome.green}
        if red:
            raise NotYet("; ".join(f"{step} {_told(red[step])}" for step in sorted(red)))

    eventually(
        green,
        timeout=seconds,
        every=0.1,
        slowest=1.0,
        wanted=f"green steps after {when}",
        hint=MEND,
    )


def _ask(world: World, journal: Journal, steps: Iterable[str], *, written: bool = False) -> Outcomes:
    """The outcome of each step now, all at the same time; of an authored one its live half, which a fault can turn;
    with `written` the half that asks files.

    A drill is repeated: what it proved before says nothing of the fault.
    """
    world.clients.memory.forget()
    known = {step.id: step for step in catalogue.STEPS}  # by the place in the list, which is never ambiguous
    wanted = [known[step] for step in steps]

    def one(number: int) -> Outcome:
        step = wanted[number]
        live = step.live is not None and not written
        return attempt(step, world, mode=Mode.VERIFY, journal=journal, live=live, repeat=True).outcome

    with ThreadPoolExecutor(max(1, len(wanted))) as pool:
        return dict(zip((step.id for step in wanted), pool.map(one, range(len(wanted))), strict=True))
