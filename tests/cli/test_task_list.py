"""Task lists: what contradicts itself is named, and boxes are ticked by proofs alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.catalogue import STEPS
from runbook.cli import task_list
from runbook.cli.task_list import findings_of, lint, show_ticked, tasks_of
from runbook.engine.errors import UsageError
from runbook.engine.settings import Settings
from runbook.engine.step import Status

GOOD = """\
**Total Tasks**: 3
**MVP Scope**: Phase 1 = **2 tasks**

## Phase 1: Set-up (2 tasks)
- [x] T001 Create the folder
- [x] T002 [P] Verify the folder
## Phase 2: More
* [ ] T003 [P] [US1] Check the page

- T001-T002 can run in parallel: 2 parallelizable tasks
1. **SC-001**: the folder is there -> verified in T002, T003
"""


def test_a_list_that_agrees_with_itself() -> None:
    assert findings_of(GOOD) == []
    tasks = tasks_of(GOOD)
    assert [(task.id, task.phase, task.parallel, task.ticked) for task in tasks] == [
        ("T001", "1", False, True),
        ("T002", "1", True, True),
        ("T003", "2", True, False),
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("T003 [P]", "T002 [P]", "T002 is the id of 2 tasks: lines 6, 8"),
        ("T003 [P]", "T006 [P]", "3 ids are missing: T003-T005"),
        ("T001-T002 can", "T001-T005 can", "line 10: names T004-T005, which no task has"),
        (
            "verified in T002",
            "verified in T001",
            "SC-001 is said to be verified in T001, which verifies nothing",
        ),
        ("Tasks**: 3", "Tasks**: 4", "line 1: says 4 tasks in all; there are 3"),
        ("Set-up (2 tasks)", "User Story 1 (3 tasks)", "line 4: says 3 tasks of phase 1; there are 2"),
        (
            "Set-up (2 tasks)",
            "2 tasks\nPhase 1-2: both (9 additional tasks)",
            "says 9 tasks of phases 1 to 2; there are 3",
        ),
        ("2 parallel", "31 parallel", "says 31 parallelizable tasks; 2 are marked [P]"),
        ("1. **SC", "**Total MVP**: 44 tasks\n1. **SC", "the MVP is said to have 2 and 44 tasks"),
    ],
)
def test_each_contradiction_is_named(old: str, new: str, words: str) -> None:
    assert old in GOOD
    found = findings_of(GOOD.replace(old, new, 1))
    assert any(words in each for each in found), found


def test_criteria_that_point_to_an_ambiguous_id() -> None:
    found = findings_of(GOOD + "- [ ] T002 Verify it again\n")
    assert any("SC-001 points to T002, an id of several tasks" in each for each in found)


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (GOOD.replace("T003", "T001"), 1)])
def test_lint_ends_with_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: int
) -> None:
    file = tmp_path / "tasks.md"
    file.write_text(text)
    with pytest.raises(SystemExit) as ended:
        lint(str(file))
    assert (ended.value.code, f"findings: {len(findings_of(text))}" in capsys.readouterr().out) == (
        code,
        True,
    )
    with pytest.raises(SystemExit):
        lint(str(file), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["tasks"], document["findings"]) == (3, findings_of(text))


@pytest.mark.parametrize("content", [None, b"", b"# nothing\n", b"\xff\xfe\x00"])
def test_what_is_not_a_task_list_is_bad_input(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "tasks.md"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError):
        lint(str(file))


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"T001": (Status.PASSED, "2 h ago"), "T002": (Status.UNPROVEN, "3 d ago")}
    monkeypatch.setattr(task_list, "standing", lambda _: found)


@pytest.mark.usefixtures("proofs")
def test_a_box_is_ticked_only_where_a_proof_counts(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    show_ticked(settings)
    lines = capsys.readouterr().out.splitlines()
    assert f"- [x] T001 {STEPS[0].title} (passed 2 h ago)" in lines
    assert f"- [ ] T002 {STEPS[1].title} (unproven 3 d ago)" in lines
    assert f"- [ ] T003 {STEPS[2].title} (not verified)" in lines
    assert sum(line.startswith("- [x]") for line in lines) == 1


@pytest.mark.usefixtures("proofs")
def test_a_list_of_ones_own_keeps_its_lines_by_place(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tasks.md"
    file.write_text("# Mine\n" + "".join(f"  - [x] T{n % 9:03d} do {n}\n" for n in range(len(STEPS))))
    show_ticked(settings, str(file))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "# Mine",
        "  - [x] T000 do 0 (passed 2 h ago)",
        "  - [ ] T001 do 1 (unproven 3 d ago)",
        "  - [ ] T002 do 2 (not verified)",
    ]
    file.write_text("- [x] T001 alone\n")
    with pytest.raises(UsageError, match="the list has 1 tasks"):
        show_ticked(settings, str(file))
