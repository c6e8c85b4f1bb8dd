"""Task lists in Markdown (`- [x] T049 [P] [US1] text`): what contradicts itself in one, and one with true boxes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook import catalogue
from runbook.cli.overview import standing
from runbook.engine.errors import UsageError
from runbook.engine.step import Status
from runbook.report.writer import Writer

if TYPE_CHECKING:
    from runbook.engine.settings import Settings

_TASK = re.compile(r"^(?P<indent>\s*)[-*] \[(?P<box>[ xX])\] (?P<id>T\d{3,})\b(?P<text>.*)$")
_PHASE = re.compile(r"^#{1,4} Phase (?P<number>\w+)")
_TOTAL = re.compile(r"(?i)\b(?:total tasks|all phases)\b\D{0,12}(\d+)")
_SUM = re.compile(
    r"(?i)\bphases? (?P<first>\d+)(?:\s*[-–]\s*(?P<last>\d+))?\b[^()]*\((?P<count>\d+)[^)]*tasks\)"
)
_MVP = re.compile(r"(?i)\bMVP\b.*?\b(\d+) tasks\b")
_PARALLEL = re.compile(r"(?i)\b(\d+) paralleli[sz]able tasks")
_CRITERION = re.compile(r"\bSC-\d{3}\b")
_LOOKS = re.compile(
    r"(?i)\b(verify|check|test|validate|monitor|measure|confirm|inspect|ensure|query|access)\b"
)


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the list. `line` counts from 1."""

    id: str
    text: str
    phase: str
    line: int
    ticked: bool

    @property
    def parallel(self) -> bool:
        return "[P]" in self.text


def tasks_of(text: str) -> list[Task]:
    """The tasks of a list, in its order."""
    found, phase = [], ""
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _PHASE.match(line):
            phase = heading["number"]
        elif match := _TASK.match(line):
            found.append(Task(match["id"], match["text"].strip(), phase, number, match["box"] != " "))
    return found


def findings_of(text: str) -> list[str]:
    """What is wrong with a list, in the order of its lines where it has one. Raises `UsageError` without any task."""
    tasks = tasks_of(text)
    if not tasks:
        raise UsageError("the file holds no task", wanted="lines such as `- [ ] T001 Create the folder`")
    lines: dict[str, list[int]] = {}
    for task in tasks:
        lines.setdefault(task.id, []).append(task.line)
    found = [
        f"{task_id} is the id of {len(where)} tasks: lines {', '.join(map(str, where))}"
        for task_id, where in sorted(lines.items())
        if len(where) > 1
    ]
    numbers = {int(task_id[1:]) for task_id in lines}
    missing = [f"T{number:03d}" for number in range(min(numbers), max(numbers) + 1) if number not in numbers]
    if missing:
        found.append(f"{len(missing)} ids are missing: {catalogue.ranges(missing)}")
    task_lines = {task.line for task in tasks}
    for number, line in enumerate(text.splitlines(), start=1):
        if number not in task_lines:
            found += [f"line {number}: {problem}" for problem in _prose(line, tasks, lines)]
    viable = [match[1] for match in map(_MVP.search, text.splitlines()) if match]
    if len(set(viable)) > 1:
        found.append(f"the MVP is said to have {' and '.join(dict.fromkeys(viable))} tasks")
    return found


def _prose(line: str, tasks: Sequence[Task], lines: Mapping[str, list[int]]) -> Iterator[str]:
    """References to tasks that are not there, counts that are not so, criteria that nothing verifies."""
    named = catalogue.named_in(line)
    dangling = sorted({each for each in named if each not in lines}, key=lambda each: int(each[1:]))
    if dangling:
        yield f"names {catalogue.ranges(dangling)}, which no task has"
    if criterion := _CRITERION.search(line):
        texts = {task.id: task.text for task in tasks}
        builds = [task_id for task_id in named if task_id in texts and not _LOOKS.search(texts[task_id])]
        if builds:
            yield f"{criterion[0]} is said to be verified in {', '.join(builds)}, which verifies nothing"
        shared = [task_id for task_id in named if len(lines.get(task_id, ())) > 1]
        if shared:
            yield f"{criterion[0]} points to {', '.join(shared)}, an id of several tasks"
    for match in _TOTAL.finditer(line):
        if int(match[1]) != len(tasks):
            yield f"says {match[1]} tasks in all; there are {len(tasks)}"
    for match in _SUM.finditer(line):
        first, last = int(match["first"]), int(match["last"] or match["first"])
        counted = sum(task.phase in {str(n) for n in range(first, last + 1)} for task in tasks)
        if int(match["count"]) != counted:
            phases = f"phase {first}" if first == last else f"phases {first} to {last}"
            yield f"says {match['count']} tasks of {phases}; there are {counted}"
    for match in _PARALLEL.finditer(line):
        if int(match[1]) != (counted := sum(task.parallel for task in tasks)):
            yield f"says {match[1]} parallelizable tasks; {counted} are marked [P]"


def lint(file: str, *, as_json: bool = False) -> None:
    """Report what is wrong with a list and exit: 0 nothing, 1 something, 2 where it cannot be read."""
    text = _read(file)
    found, tasks = findings_of(text), tasks_of(text)
    out = Writer(sys.stdout)
    distinct = len({task.id for task in tasks})
    if as_json:
        document = {"schema": 1, "tasks": len(tasks), "distinct_ids": distinct, "findings": found}
        out.line(json.dumps(document, indent=2))
    else:
        for each in found:
            out.line(each)
        out.line(f"{len(tasks)} tasks with {distinct} distinct ids, findings: {len(found)}")
    sys.exit(1 if found else 0)


def show_ticked(settings: Settings, file: str = "") -> None:
    """The list with a box ticked only where a proof counts on the cluster that answers now, and its age.

    `file`: a list of as many tasks as the catalogue has steps, whose own lines are kept; else the catalogue's titles.
    """
    out = Writer(sys.stdout)
    proofs = standing(settings)

    def box(step_id: str) -> tuple[str, str]:
        status, age = proofs.get(step_id, (None, ""))
        return (
            "x" if status is Status.PASSED else " "
        ), f" ({status.value} {age})" if status else " (not verified)"

    for line in _ticked(_read(file), box) if file else _own(box):
        out.line(line)


def _own(box: Callable[[str], tuple[str, str]]) -> Iterator[str]:
    for phase in catalogue.PHASES:
        yield f"\n## {phase.name.capitalize()}{f' ({phase.story})' if phase.story else ''}\n"
        for step in phase.steps:
            mark, proof = box(step.id)
            yield f"- [{mark}] {step.id} {step.title}{proof}"


def _ticked(text: str, box: Callable[[str], tuple[str, str]]) -> Iterator[str]:
    """By place: the first task of the list is the first step."""
    tasks = tasks_of(text)
    if len(tasks) != len(catalogue.STEPS):
        raise UsageError(
            f"the list has {len(tasks)} tasks",
            wanted=f"one task for each of the {len(catalogue.STEPS)} steps",
            hint="inv lint.tasks FILE",
        )
    steps = iter(catalogue.STEPS)
    for line in text.splitlines():
        match = _TASK.match(line)
        if not match:
            yield line
            continue
        mark, proof = box(next(steps).id)
        yield f"{match['indent']}- [{mark}] {match['id']}{match['text'].rstrip()}{proof}"


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{file} cannot be read: {why}", wanted="a task list in Markdown") from None
