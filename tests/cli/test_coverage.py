"""The coverage of faults: killed only what was seen killed, and a fault for every step."""

from __future__ import annotations

import json

import pytest

from runbook import catalogue, faults
from runbook.cli import coverage
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.faults.trial import Verdict


def test_nothing_is_killed_before_it_was_planted(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    coverage.show(settings)
    told = capsys.readouterr().out
    assert f"{len(catalogue.STEPS)} of {len(catalogue.STEPS)} steps have a fault" in told
    assert "0 of " in told.splitlines()[-1]
    assert "automation: a script that may not be executed: never planted here" in told


def test_what_was_last_seen_counts(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, *_ = faults.group("setup", settings).mutants
    coverage.remember(
        settings,
        "setup",
        [Verdict(first, Status.PASSED, "T001"), Verdict(second, Status.FAILED, "T002 stayed green")],
    )
    coverage.show(settings, "setup", json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["killed"] == 1
    assert found["never_planted"] == found["faults"] - 2
    assert [row["verdict"] for row in found["steps"]["T002"]] == ["survived"]
    coverage.remember(settings, "setup", [Verdict(first, Status.UNPROVEN, "could not be planted")])
    coverage.show(settings, "setup", json=True)
    assert json.loads(capsys.readouterr().out)["killed"] == 0
