from __future__ import annotations

import dataclasses

import pytest

from runbook.engine.step import Outcome, Status, failed, passed, unproven


def test_only_passed_is_green() -> None:
    assert [status for status in Status if Outcome(status, "seen").green] == [Status.PASSED]


def test_outcomes_keep_what_was_seen_wanted_and_what_to_try() -> None:
    outcome = failed("212 MB", wanted="under 200 MB", hint="docker history todo-frontend", layers=[1, 2])
    assert (outcome.status, outcome.observed, outcome.wanted, outcome.hint) == (
        Status.FAILED,
        "212 MB",
        "under 200 MB",
        "docker history todo-frontend",
    )
    assert outcome.evidence == {"layers": [1, 2]}


@pytest.mark.parametrize("outcome", [passed("seen"), unproven("no docker", hint="install it")])
def test_outcomes_are_values(outcome: Outcome) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        outcome.observed = "something else"  # type: ignore[misc]
