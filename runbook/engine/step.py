"""Values of the vocabulary: Step, Outcome, Status. No I/O here.

A step is a check, and maybe a way to make the check pass (`apply`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, Self


class Status(StrEnum):
    """Only PASSED is green."""

    PASSED = "passed"
    FAILED = "failed"
    """Measured, and not as wanted."""
    UNPROVEN = "unproven"
    """Could not be measured."""
    BLOCKED = "blocked"
    """A needed step did not pass."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check saw.

    `hint` is a command that can be pasted; `evidence` is JSON-serialisable and free of secrets.
    """

    status: Status
    observed: str
    wanted: str = ""
    hint: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def green(self) -> bool:
        return self.status is Status.PASSED


def passed(observed: str, *, wanted: str = "", **evidence: Any) -> Outcome:
    return Outcome(Status.PASSED, observed, wanted, "", evidence)


def failed(observed: str, *, wanted: str, hint: str, **evidence: Any) -> Outcome:
    return Outcome(Status.FAILED, observed, wanted, hint, evidence)


def unproven(observed: str, *, wanted: str = "", hint: str, **evidence: Any) -> Outcome:
    return Outcome(Status.UNPROVEN, observed, wanted, hint, evidence)


class World(Protocol):
    """What the engine needs of what it hands to checks and applies; the rest is between them and `runbook.world`."""

    @property
    def proof_hours(self) -> float:
        """Hours for which the proof of a drill is carried."""

    def for_step(self, progress: Callable[[str], None]) -> Self:
        """The same world with a progress line of its own."""

    def forget(self) -> None:
        """A step has changed something: what was remembered may be so no longer."""

    def interrupt(self) -> None:
        """End long waits and running commands."""

    def pasteable(self, hint: str) -> str:
        """A hint whose commands name the cluster that they are about."""


Check = Callable[[Any], Outcome]
"""Asks the live world and changes nothing; an `Unmeasurable` that it raises becomes *unproven*."""

Apply = Callable[[Any], None]
"""Makes the check pass; idempotent; tells progress by `world.progress` only; raises `RunbookError`."""

Fingerprint = Callable[[Any], str]
"""The inputs of a drill's proof, as one value: images, replicas, variables, where the database is."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the list (T001, T002, ...).

    `live` is the second half of an authored step: the same claim, asked of the deployed object once
    `live_after` has passed; the step's outcome is the worse of the two. `drill` marks a check that disturbs
    and restores: it runs in deploy, and in verify only with --drills; its outcome is carried forward while
    `fingerprint` is unchanged.
    """

    id: str
    title: str
    check: Check | None = None
    """None: not built yet; such a step is unproven."""
    apply: Apply | None = None
    needs: tuple[str, ...] = ()
    live: Check | None = None
    live_after: str = "T049"
    drill: bool = False
    fingerprint: Fingerprint | None = None
    canary: Check | None = None
    """Of a drill: what is checked each time that its proof is carried; the worse outcome counts."""
    heavy: bool = False
    """Uses whole cores (an image build): at most one per core runs at a time."""
    phase: str = ""
    story: str = ""
    printed: str = ""
    """The id that the original list prints, which may mean several steps."""
