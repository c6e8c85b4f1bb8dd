"""One step tried: its check, then its apply and the check again. The only place that turns exceptions into outcomes."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from runbook.engine.errors import CommandMissing, RunbookError, Unmeasurable, UsageError, WrongCluster
from runbook.engine.events import Mode, worse
from runbook.engine.journal import Journal
from runbook.engine.step import Check, Outcome, Status, Step, World


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a step, or of one half of it."""

    outcome: Outcome
    seconds: float = 0.0
    changed: bool = False
    carried: bool = False
    fingerprint: str = ""
    details: str = ""
    before: str = ""
    """What was wrong before the apply; empty where nothing was."""

    def without_live(self, live_after: str) -> Attempt:
        """The first half alone, where the run does not come to the second: never green."""
        observed = f"{self.outcome.observed}; the deployed object is checked once {live_after} has passed"
        return replace(self, outcome=replace(self.outcome, status=Status.UNPROVEN, observed=observed))

    def and_live(self, live: Attempt) -> Attempt:
        """The whole step: the worse outcome of the two halves, with what both saw where both passed."""
        outcome = worse(self.outcome, live.outcome)
        if self.outcome.green and live.outcome.green:
            outcome = replace(
                self.outcome,
                observed=f"{self.outcome.observed}; live: {live.outcome.observed}",
                evidence={**self.outcome.evidence, "live": dict(live.outcome.evidence)},
            )
        return replace(
            self,
            outcome=outcome,
            seconds=self.seconds + live.seconds,
            details=self.details or live.details,
        )


def attempt(
    step: Step,
    world: World,
    *,
    mode: Mode,
    journal: Journal,
    live: bool = False,
    repeat: bool = False,
) -> Attempt:
    """Try a step; with `live` only its second half. `repeat` runs a drill although its proof still stands.

    Never raises: whatever a check or an apply raises becomes an outcome.
    """
    begin = time.monotonic()
    try:
        made = _made(step, world, mode, journal, live, repeat)
    except BaseException as error:  # noqa: BLE001 (a thread must end with an answer)
        made = _outcome_of(error)
    outcome = replace(made.outcome, hint=world.pasteable(made.outcome.hint))
    return replace(made, outcome=outcome, seconds=time.monotonic() - begin)


def _made(step: Step, world: World, mode: Mode, journal: Journal, live: bool, repeat: bool) -> Attempt:
    check = step.live if live else step.check
    if check is None:
        return Attempt(Outcome(Status.UNPROVEN, "not built yet", "a check", "inv tasks"))
    if step.drill and not live:
        return _drill(step, check, world, mode, journal, repeat)
    made = _measure(check, world)
    if not made.outcome.green and not live and mode is Mode.APPLY:
        made = _apply(step, check, world, made)
    return made


def _measure(check: Check, world: World) -> Attempt:
    try:
        return Attempt(check(world))
    except BaseException as error:  # noqa: BLE001 (a thread must end with an answer)
        return _outcome_of(error)


def _apply(step: Step, check: Check, world: World, before: Attempt) -> Attempt:
    if step.apply is None:
        return before
    try:
        step.apply(world)
    except BaseException as error:  # noqa: BLE001
        changed = not isinstance(
            error, UsageError | WrongCluster | CommandMissing
        )  # these end before they change
        return replace(_outcome_of(error), changed=changed, before=before.outcome.observed)
    finally:
        world.forget()
    return replace(_measure(check, world), changed=True, before=before.outcome.observed)


def _drill(step: Step, check: Check, world: World, mode: Mode, journal: Journal, repeat: bool) -> Attempt:
    """A drill disturbs the application, so its proof is carried: while its inputs are the same, and for a time."""
    if not repeat:
        fingerprint = fingerprint_of(step, world)
        proof = journal.proved(step.id, fingerprint) if fingerprint else None
        valid = timedelta(hours=world.proof_hours)
        old = proof is not None and datetime.now(UTC) - datetime.fromisoformat(proof.at) > valid
        if proof is not None and not old:
            observed = (
                f"{proof.outcome.observed} (proved at {_clock(proof.at)}; carried, its inputs are unchanged)"
            )
            carried = Attempt(
                replace(proof.outcome, observed=observed), carried=True, fingerprint=fingerprint
            )
            return carried.and_live(_measure(step.canary, world)) if step.canary else carried
        if mode is Mode.VERIFY:
            why = "not proved yet for what runs now"
            if proof is not None and old:
                hours = f"{world.proof_hours:g} h"
                why = f"the proof of {_clock(proof.at)} is older than {hours} (setting proof_hours)"
            return Attempt(
                Outcome(
                    Status.UNPROVEN,
                    f"{why}, and proving it disturbs the application",
                    "a proof for what runs now",
                    f"inv verify.step {step.id} --drills",
                )
            )
    made = _measure(check, world)
    return replace(made, fingerprint=fingerprint_of(step, world))  # afterwards: a drill may restart pods


def fingerprint_of(step: Step, world: World) -> str:
    """What a drill's proof is of; empty where the release cannot be identified: then no earlier proof counts."""
    if step.fingerprint is None:
        return ""
    try:
        return step.fingerprint(world)
    except Exception:  # noqa: BLE001 (the check itself will say what is wrong)
        return ""


def _outcome_of(error: BaseException) -> Attempt:
    if isinstance(error, RunbookError):
        status = Status.UNPROVEN if isinstance(error, Unmeasurable) else Status.FAILED
        return Attempt(Outcome(status, error.observed, error.wanted, error.hint))
    first_line = str(error).strip().splitlines()[:1]
    name = type(error).__name__
    return Attempt(
        Outcome(
            Status.FAILED,
            f"unexpected {name}: {first_line[0][:300]}" if first_line else f"unexpected {name}",
            "a check that ends with an answer",
            "the traceback is in the journal; inv status names its file",
        ),
        details="".join(traceback.format_exception(error)),
    )


def _clock(at: str) -> str:
    """The local time of day of a journal entry, with the date."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
