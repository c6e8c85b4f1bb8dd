"""The walk: check -> passed? done; else apply, check again. In parallel, in the order that needs allow. Prints nothing.

Every step's work runs in a thread of its own and reports to one inbox; all decisions (what may start, what is
blocked, what is journalled) are taken in the thread that called `walk`.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from heapq import heappop, heappush

from runbook.engine.attempt import Attempt, attempt
from runbook.engine.events import Began, Event, Finished, Mode, Paused, Result, Run, Started, Waiting
from runbook.engine.journal import Journal
from runbook.engine.plan import Plan, heights
from runbook.engine.step import Outcome, Status, Step, World

Sink = Callable[[Event], None]
Turn = tuple[bool, int, str, bool]
Span = tuple[float, float]

PARALLEL = 8
"""Steps at a time; they mostly wait for the cluster."""

PATIENCE = 3600.0
"""Seconds after which a step that ignores its own deadlines is given up; a thread cannot be killed."""

NAMED = 4
"""Causes that a blocked step names."""

GRACE = 8.0
"""Seconds that running steps have to stop after an interruption."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one thread does: a step's check and apply, or the live half of an authored step."""

    step: Step
    live: bool = False


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def walk(
    plan: Plan,
    world: World,
    *,
    mode: Mode,
    journal: Journal,
    sink: Sink,
    drills: bool = False,
    heavy: int | None = None,
    patience: float = PATIENCE,
) -> Run:
    """Walk the plan to its end and say what came of it.

    `drills` repeats drills whose proof still stands; `heavy` bounds the heavy steps at a time (default: one per
    core). An interruption (Ctrl-C) ends the walk with what was done so far.
    """
    return _Walk(plan, world, mode, journal, sink, drills, heavy or cores(), patience).run()


def _disturbs(unit: Unit) -> bool:
    return unit.step.drill and not unit.live


class _Walk:
    def __init__(
        self,
        plan: Plan,
        world: World,
        mode: Mode,
        journal: Journal,
        sink: Sink,
        drills: bool,
        heavy: int,
        patience: float,
    ) -> None:
        self.plan = plan
        self.world = world
        self.mode = mode
        self.journal = journal
        self.sink = sink
        self.drills = drills
        self.heavy = heavy
        self.patience = patience
        self.inbox: queue.SimpleQueue[tuple[Unit, Attempt] | Waiting] = queue.SimpleQueue()
        self.heights = heights(plan.steps)
        self.left = 0
        """Units that are neither started nor blocked yet."""
        self.undecided: dict[Unit, int] = {}
        """How many needs of a unit have no outcome yet."""
        self.dependents: dict[str, list[Unit]] = {}
        self.ready: list[tuple[Turn, Unit]] = []
        """A heap of units whose needs all passed."""
        self.lost: list[Unit] = []
        """Units of whose needs one did not pass."""
        self.running: dict[Unit, float] = {}
        self.first: dict[str, Attempt] = {}
        """What came of the first half of each step; this is what other steps' needs look at."""
        self.causes: dict[str, tuple[str, ...]] = {}
        """Why a step is blocked: the steps at the bottom of it, which did not pass themselves."""
        self.results: dict[str, Result] = {}
        self.spans: dict[str, list[Span]] = {}
        self.begin = time.monotonic()
        self.interrupted = False
        for step in plan.steps:
            self._add(Unit(step))

    def run(self) -> Run:
        begin = self.begin = time.monotonic()
        self.journal.began(self.plan, self.mode)
        self.sink(Began(self.plan, self.mode))
        try:
            self._go()
        except KeyboardInterrupt:
            self._stop()
        except BaseException:
            self._stop()  # a full disk, a reporter that fails: what was started ends all the same
            raise
        ordered = tuple(self.results[step.id] for step in self.plan.steps if step.id in self.results)
        run = Run(self.plan, self.mode, ordered, time.monotonic() - begin, self.interrupted)
        self.journal.ended(run.exit_code)
        return run

    def _go(self) -> None:
        while self.left or self.running:
            self._start_what_may()
            if self.running:
                self._take(timeout=1.0)
                self._give_up_the_stuck()

    def _start_what_may(self) -> None:
        """Block every unit that lost a need, which may decide others; then start as many as there is room for."""
        while self.lost:
            unit = self.lost.pop()
            self.left -= 1
            missing = [need for need in self._needs(unit) if not self.first[need].outcome.green]
            self._end(unit, Attempt(self._blocked(unit.step.id, missing)))
        aside = []
        while self.ready and len(self.running) < PARALLEL:
            turn, unit = heappop(self.ready)
            if self._room_for(unit):
                self.left -= 1
                self._start(unit)
            else:
                aside.append((turn, unit))
        for each in aside:
            heappush(self.ready, each)

    def _add(self, unit: Unit) -> None:
        self.left += 1
        needs = [need for need in self._needs(unit) if need not in self.first]
        for need in needs:
            self.dependents.setdefault(need, []).append(unit)
        self.undecided[unit] = len(needs)
        if not needs:
            self._release(unit)

    def _decide(self, step_id: str, made: Attempt) -> None:
        """The first half of a step has its outcome: whoever waited for that alone may go, or is lost."""
        self.first[step_id] = made
        for unit in self.dependents.pop(step_id, ()):
            self.undecided[unit] -= 1
            if not self.undecided[unit]:
                self._release(unit)

    def _release(self, unit: Unit) -> None:
        del self.undecided[unit]
        if all(self.first[need].outcome.green for need in self._needs(unit)):
            heappush(self.ready, (self._turn(unit), unit))
        else:
            self.lost.append(unit)

    def _turn(self, unit: Unit) -> Turn:
        """First those on which the longest row of other steps waits, then the order of the list; drills last of all."""
        return (_disturbs(unit), 0 if unit.live else -self.heights[unit.step.id], unit.step.id, unit.live)

    def _needs(self, unit: Unit) -> tuple[str, ...]:
        if not unit.live:
            return unit.step.needs
        return (unit.step.live_after,) if unit.step.live_after in self.plan else ()

    def _room_for(self, unit: Unit) -> bool:
        """A drill runs alone: it disturbs what the others ask, and what it sees must be of its own making."""
        if len(self.running) >= PARALLEL or any(_disturbs(other) for other in self.running):
            return False
        if _disturbs(unit):
            return not self.running
        return not unit.step.heavy or sum(other.step.heavy for other in self.running) < self.heavy

    def _start(self, unit: Unit) -> None:
        self.running[unit] = time.monotonic()
        if self.mode is Mode.APPLY and not unit.live:
            self.journal.started(unit.step.id)
        self.sink(Started(unit.step, unit.live))
        world = self.world.for_step(lambda text: self.inbox.put(Waiting(unit.step, text)))

        def work() -> None:
            made = Attempt(Outcome(Status.FAILED, "its thread ended without an answer", "an answer"))
            try:
                made = attempt(
                    unit.step, world, mode=self.mode, journal=self.journal, live=unit.live, repeat=self.drills
                )
            finally:
                self.inbox.put((unit, made))

        # Daemon threads: one that hangs does not keep the process from ending.
        threading.Thread(target=work, name=unit.step.id, daemon=True).start()

    def _take(self, timeout: float) -> None:
        try:
            message = self.inbox.get(timeout=timeout)
        except queue.Empty:
            return
        if isinstance(message, Waiting):
            self.sink(message)
            return
        unit, made = message
        if (since := self.running.pop(unit, None)) is not None:
            span = (since - self.begin, time.monotonic() - self.begin)
            self.spans.setdefault(unit.step.id, []).append(span)
            self._end(unit, made)

    def _give_up_the_stuck(self) -> None:
        for unit, since in list(self.running.items()):
            if time.monotonic() - since > self.patience:
                del self.running[unit]
                stuck = Outcome(
                    Status.FAILED,
                    f"no answer within {self.patience / 60:.0f} minutes",
                    "every wait is bounded",
                    "stop this run and start it again",
                )
                self._end(unit, Attempt(stuck, seconds=self.patience))

    def _end(self, unit: Unit, made: Attempt) -> None:
        """A unit is decided: pause the step until its live half, or finish it."""
        step = unit.step
        if self.interrupted and (not made.outcome.green or step.live is not None):
            return
        pending = False
        if unit.live:
            made = self.first[step.id].and_live(made)
        else:
            self._decide(step.id, made)
            if step.live is not None and made.outcome.green:
                if self._asks_live(step):
                    self._add(Unit(step, live=True))
                    if step.live_after not in self.first:
                        self.sink(Paused(step, step.live_after))
                    return
                pending, made = True, made.without_live(step.live_after)
        result = Result(
            step,
            made.outcome,
            made.seconds,
            made.changed,
            made.carried,
            made.fingerprint,
            made.details,
            made.before,
            pending,
            tuple(self.spans.get(step.id, ())),
        )
        self.results[step.id] = result
        self.journal.finished(result)
        self.sink(Finished(result, len(self.results), len(self.plan.steps)))

    def _asks_live(self, step: Step) -> bool:
        """A run that does not come to the deployment (inv build) leaves the live half to one that does."""
        return step.live_after in self.plan or self.mode is Mode.VERIFY

    def _stop(self) -> None:
        """End the commands that run and let their steps end, a short while; what fails by this is no result."""
        self._drop_waiting()
        self.interrupted = True
        deadline = time.monotonic() + GRACE
        with suppress(KeyboardInterrupt):  # a second one ends the wait
            self.world.interrupt()
            while self.running and time.monotonic() < deadline:
                self._take(timeout=0.1)
                self._drop_waiting()

    def _drop_waiting(self) -> None:
        self.left = 0
        self.ready.clear()
        self.lost.clear()

    def _blocked(self, step_id: str, missing: list[str]) -> Outcome:
        """Names the needs that did not pass and, where those are blocked themselves, where it began."""
        causes = sorted({cause for need in missing for cause in self.causes.get(need, (need,))})
        self.causes.setdefault(step_id, tuple(causes))
        more = f" and {len(causes) - NAMED} more" if len(causes) > NAMED else ""
        began = "" if causes == sorted(missing) else f"; it began with {', '.join(causes[:NAMED])}{more}"
        return Outcome(
            Status.BLOCKED,
            f"needs {', '.join(missing)}{began}",
            hint=f"inv verify.step {causes[0]}",
        )
