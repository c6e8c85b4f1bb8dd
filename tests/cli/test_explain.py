"""`inv explain`: every step and requirement, and what must be said of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.catalogue import STEPS, find
from runbook.catalogue.requirements import REQUIREMENTS
from runbook.cli.entry import journal_of
from runbook.cli.explain import explain
from runbook.engine.errors import UsageError
from runbook.engine.events import Result
from runbook.engine.settings import Settings
from runbook.engine.step import passed


def told(capsys: pytest.CaptureFixture[str], settings: Settings, name: str) -> dict[str, Any]:
    explain(settings, name, as_json=True)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_each_step_says_what_is_checked_and_where(
    step: Any, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, settings, step.id)
    assert found[step.id] == [step.title]
    assert any("(runbook/" in text for text in found["check"]), found
    assert ("apply" in found) == (step.apply is not None)
    assert ("deployed" in found) == (step.live is not None)
    assert ("drill" in found) == step.drill
    assert found["last"] == ["never checked"]


def test_a_step_names_its_faults_its_requirements_and_its_deviations(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "network: default-deny dropped" in told(capsys, settings, "t078")["faults"]
    assert any(text.startswith("AS-007") for text in told(capsys, settings, "78")["proves"])
    assert any("Docker Engine" in text for text in told(capsys, settings, "T004")["deviates"])
    assert any("template folders" in text for text in told(capsys, settings, "T030")["deviates"])
    assert told(capsys, settings, "T098")["printed"] == ["the original list prints it as T103"]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda each: each.id)
def test_no_requirement_is_proven_by_what_was_never_checked(
    requirement: Any, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, settings, requirement.id)["so"] == ["not proven"]


def test_a_requirement_is_proven_by_all_of_its_steps_and_never_with_something_left_open(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = journal_of(settings)
    journal.path.parent.mkdir(parents=True)
    for step_id, expected in (("T077", "not proven"), ("T078", "proven, as last seen")):
        journal.finished(Result(find(step_id), passed("open and blocked as wanted"), 0.1))
        assert told(capsys, settings, "as-007")["so"] == [expected]
    journal.finished(Result(find("T093"), passed("fine"), 0.1))
    document = told(capsys, settings, "FR-024")
    assert document["so"] == ["not proven"]
    assert document["left open"]


@pytest.mark.parametrize("name", ["", "AS-999", "SC", "T999", "everything"])
def test_an_unknown_name_is_a_usage_error(settings: Settings, name: str) -> None:
    with pytest.raises(UsageError, match="there is no step"):
        explain(settings, name)


def test_as_text_each_label_is_written_once(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    explain(settings, "T078")
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("faults") for line in lines) == 1
    assert lines[0].startswith("T078       Forbidden connections")
