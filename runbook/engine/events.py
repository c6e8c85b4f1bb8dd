"""What a run tells while it goes, and what it leaves: values that reporters show and the journal keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from runbook.engine.plan import Plan
from runbook.engine.step import Outcome, Status, Step


class Mode(StrEnum):
    """What a run may do."""

    APPLY = "apply"
    """Make every check pass."""
    VERIFY = "verify"
    """Ask only; change nothing."""


@dataclass(frozen=True, slots=True)
class Began:
    """A run starts to walk its plan."""

    plan: Plan
    mode: Mode


@dataclass(frozen=True, slots=True)
class Started:
    """A step's check begins; with `live` its second half."""

    step: Step
    live: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A running step says in a few words what it waits for."""

    step: Step
    text: str


@dataclass(frozen=True, slots=True)
class Paused:
    """The first half of an authored step passed; the second is asked once `after` has passed."""

    step: Step
    after: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one step. `seconds` is the time that its own work took, without waiting for its needs."""

    step: Step
    outcome: Outcome
    seconds: float = 0.0
    changed: bool = False
    """Its apply ran."""
    carried: bool = False
    """A drill proved earlier, with the same inputs, and not repeated."""
    fingerprint: str = ""
    details: str = ""
    """A traceback, for the journal only."""
    before: str = ""
    """What was wrong before the apply; empty where nothing was."""
    pending: bool = False
    """Its second half waits for a step that this run does not come to: unproven, and no fault of the run's."""
    spans: tuple[tuple[float, float], ...] = ()
    """When its work began and ended, in seconds since the run began; two where a second half was asked later."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A step has its outcome; `count` of `total` are done."""

    result: Result
    count: int
    total: int


Event = Began | Started | Waiting | Paused | Finished

_WORST_FIRST = (Status.FAILED, Status.UNPROVEN, Status.BLOCKED, Status.PASSED)


@dataclass(frozen=True, slots=True)
class Run:
    """A walk that ended: results in the order of the list."""

    plan: Plan
    mode: Mode
    results: tuple[Result, ...] = field(default=())
    seconds: float = 0.0
    interrupted: bool = False

    def with_status(self, status: Status) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.outcome.status is status)

    @property
    def exit_code(self) -> int:
        """0 all passed but for what is pending, 1 a failure, 3 unproven or blocked, 130 interrupted."""
        if self.interrupted:
            return 130
        if self.with_status(Status.FAILED):
            return 1
        done = sum(result.pending or result.outcome.green for result in self.results)
        return 0 if done == len(self.plan.steps) else 3


def worse(one: Outcome, other: Outcome) -> Outcome:
    """The outcome that counts of two halves of a step; `one` where they are alike."""
    return min(one, other, key=lambda outcome: _WORST_FIRST.index(outcome.status))
