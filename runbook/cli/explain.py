"""`inv explain`: what the program knows of a step or a requirement, without looking at a cluster."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook import catalogue, faults
from runbook.catalogue.requirements import BY_ID, Requirement, of_step
from runbook.checks.chart.claims import Claim
from runbook.cli.entry import journal_of
from runbook.report.json import dumps
from runbook.report.writer import Writer

if TYPE_CHECKING:
    from runbook.engine.journal import Entry
    from runbook.engine.settings import Settings
    from runbook.engine.step import Step

Lines = list[tuple[str, str]]
DEVIATIONS = Path("docs/steps.md")
NEVER = "never checked"


def explain(settings: Settings, name: str, *, as_json: bool = False) -> None:
    """Write what is known of "T078", "AS-007", "SC-003" or "FR-014". Raises `UsageError` for any other name."""
    last = journal_of(settings).last()
    wanted = name.strip().upper()
    requirement = BY_ID.get(wanted)
    lines = _requirement(requirement, last) if requirement else known(settings, catalogue.find(name), last)
    out = Writer(sys.stdout)
    if as_json:
        document: dict[str, list[str]] = {}
        for label, text in lines:
            document.setdefault(label, []).append(text)
        out.line(dumps(**document))
        return
    before = ""
    for label, text in lines:
        out.line(f"{label if label != before else '':<10} {text}")
        before = label


def known(settings: Settings, step: Step, last: dict[str, Entry]) -> Lines:
    """Label and text of each line about a step, the title first. `last` is what each step was last seen as."""
    story = f" ({step.story})" if step.story else ""
    lines = [(step.id, step.title), ("phase", step.phase + story)]
    if step.printed != step.id:
        lines.append(("printed", f"the original list prints it as {step.printed}"))
    for label, function in (("check", step.check), ("deployed", step.live), ("apply", step.apply)):
        lines += [(label, text) for text in _described(function)] if function else []
    if step.live:
        lines.append(("deployed", f"checked once {step.live_after} has passed; the worse of the two counts"))
    if step.drill:
        lines.append(
            ("drill", "disturbs the application and restores it; valid while its inputs are the same:")
        )
        lines += [("drill", text) for text in _described(step.fingerprint)]
    lines.append(("needs", ", ".join(step.needs) or "nothing"))
    lines += [("faults", text) for text in _faults(settings, step.id)] or [
        ("faults", "none planted by a command")
    ]
    lines += [("proves", f"{each}  {BY_ID[each].text}") for each in of_step(step.id)]
    lines += [("deviates", text) for text in _deviations(settings.project / DEVIATIONS, step.id)]
    lines.append(("last", _last(last.get(step.id))))
    return lines


def _requirement(requirement: Requirement, last: dict[str, Entry]) -> Lines:
    lines = [(requirement.id, requirement.text)]
    lines += [
        ("proven by", f"{step_id}  {catalogue.find(step_id).title}: {_last(last.get(step_id))}")
        for step_id in requirement.steps
    ]
    if not requirement.steps:
        lines.append(("proven by", "no step"))
    if requirement.gap:
        lines.append(("left open", requirement.gap))
    green = all(step in last and last[step].outcome.green for step in requirement.steps)
    proven = bool(requirement.steps) and not requirement.gap and green
    lines.append(("so", "proven, as last seen" if proven else "not proven"))
    return lines


def _last(entry: Entry | None) -> str:
    return f"{entry.outcome.status.value} at {entry.at}: {entry.outcome.observed}" if entry else NEVER


def _described(function: Callable[..., Any] | None) -> Iterator[str]:
    """Where a function stands and how it describes itself; of a combination, its parts."""
    while isinstance(function, partial):
        function = function.func
    if function is None or not (function.__module__ or "").startswith("runbook"):
        return
    name = function.__qualname__.partition(".")[0]
    factory = getattr(sys.modules[function.__module__], name, function)
    kept = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    if text := inspect.getdoc(factory):
        file = Path(inspect.getsourcefile(factory) or "").as_posix()
        place = file[file.rindex("/runbook/") + 1 :]
        paragraph = " ".join(text.partition("\n\n")[0].split())
        yield f"{paragraph} ({place}:{inspect.getsourcelines(factory)[1]})"
    for each in kept:
        if isinstance(each, Claim):
            yield f"wanted: {each.wanted}"
        elif callable(each) and not inspect.isclass(each):
            yield from _described(each)


def _faults(settings: Settings, step_id: str) -> Iterator[str]:
    """Every fault that a command plants and that this step must notice."""
    for name in sorted(faults.GROUPS):
        for each in faults.group(name, settings).mutants:
            if step_id in each.reds | each.unproven:
                yield f"{name}: {each.name}"


def _deviations(file: Path, step_id: str) -> Iterator[str]:
    """The rows of the table of deviations that name the step: what the list says, and what is done instead."""
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| T") and len(cells) >= 3 and step_id in catalogue.named_in(cells[0]):
            yield f"the list: {cells[1]}; here: {cells[2]}"
