"""Cleanup: it leaves the machine as before, spares what is not ours, and twice in a row is fine. The last module."""

from __future__ import annotations

from commands import Answer, inv
from machine import Machine

from runbook.engine.settings import Settings


def test_cleanup_leaves_the_machine_as_before(
    deployed: Answer, machine_before: Machine, settings: Settings
) -> None:
    assert Machine.now(folders=(settings.state,)) != machine_before, "nothing was there to clean up"
    answer = inv("cleanup", "--yes")
    assert answer.code == 0, answer.stderr or answer.stdout
    left = Machine.now(folders=(settings.state,)).difference(machine_before)
    assert left == {}


def test_a_second_cleanup_is_fine(deployed: Answer) -> None:
    answer = inv("cleanup", "--yes")
    assert answer.code == 0, answer.stderr or answer.stdout


def test_asking_afterwards_is_not_green(deployed: Answer) -> None:
    """Without a cluster the proofs of the deployment cannot be green."""
    answer = inv("verify.step", "T049", "--json")
    assert answer.code in (1, 3)
    assert answer.statuses()["T049"] != "passed"
