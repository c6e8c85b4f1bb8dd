"""Requirements: each is proven by steps that exist, or says that nothing proves it."""

from __future__ import annotations

import re
from pathlib import Path

from runbook.catalogue import STEPS
from runbook.catalogue.requirements import BY_ID, REQUIREMENTS, document, of_step

PROJECT = Path(__file__).resolve().parents[2]
IDS = re.compile(r"\b(?:AS|SC|FR)-\d{3}\b")


def test_ids_are_unique_and_steps_exist() -> None:
    assert len(BY_ID) == len(REQUIREMENTS)
    known = {step.id for step in STEPS}
    assert [each.id for each in REQUIREMENTS if not known.issuperset(each.steps)] == []


def test_what_no_step_proves_says_what_is_missing() -> None:
    assert [each.id for each in REQUIREMENTS if not each.steps and not each.gap] == []


def test_the_list_is_complete() -> None:
    expected = [
        f"{kind}-{n:03d}" for kind, count in (("AS", 24), ("SC", 12), ("FR", 42)) for n in range(1, count + 1)
    ]
    assert [each.id for each in REQUIREMENTS] == expected


def test_a_step_names_what_it_proves() -> None:
    assert of_step("T049") == ("AS-001", "AS-004", "SC-001", "FR-001", "FR-002", "FR-038")
    assert of_step("T001") == ()


def test_the_document_is_written_from_the_table() -> None:
    assert (PROJECT / "docs" / "requirements.md").read_text() == document() + "\n"


def test_every_requirement_that_is_cited_is_defined() -> None:
    files = [*PROJECT.glob("runbook/**/*.py"), *PROJECT.glob("docs/*.md"), PROJECT / "README.md"]
    cited = {found for file in files for found in IDS.findall(file.read_text())}
    assert cited <= BY_ID.keys()
