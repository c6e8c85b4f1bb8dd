"""`inv plan`: what a command would do, found out without doing it. `inv drift`: what somebody changed by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runbook import catalogue
from runbook.app import forecast
from runbook.app.forecast import Forecast
from runbook.cli import entry
from runbook.engine.errors import RunbookError, UsageError
from runbook.engine.events import Mode, Result
from runbook.engine.plan import plan
from runbook.engine.runner import walk
from runbook.engine.step import Status, Step
from runbook.report.json import dumps
from runbook.report.words import duration
from runbook.report.writer import Writer
from runbook.world import World

if TYPE_CHECKING:
    from runbook.engine.settings import Settings

TARGETS: Mapping[str, tuple[str, ...]] = {
    "deploy": entry.DEPLOYMENT,
    "full": entry.EVERYTHING,
    "build": entry.IMAGES,
    "secure": entry.SECURITY,
    "dapr": entry.MESH,
    "package": entry.PACKAGE,
    "db": entry.DATABASE,
    "automation": entry.AUTOMATION,
}
NOTHING, BLOCKED, CHANGES = 0, 1, 4
"""Exit codes: nothing to do; something is in the way that the command cannot change; changes."""


def show(settings: Settings, target: str, *, as_json: bool = False) -> None:
    """Check the target's steps without their drills, and say what is left to do. Writes nothing, not even state."""
    if target not in TARGETS:
        raise UsageError(
            f"there is no target {target!r}",
            wanted=f"one of {', '.join(TARGETS)}",
            hint="inv plan --target secure",
        )
    world, out = World.of(settings), Writer(sys.stdout)
    steps = plan(TARGETS[target], catalogue.STEPS)
    journal = entry.journal_of(settings, world)
    if out.is_terminal:
        Writer(sys.stderr).line(f"Checking {len(steps.steps)} steps; nothing will be changed.")
    run = walk(steps, world, mode=Mode.VERIFY, journal=journal.unwritten(), sink=lambda _: None)
    rest = [result for result in run.results if not result.outcome.green]
    done = [result for result in rest if result.step.apply]
    drills = [result.step.id for result in rest if result.step.drill]
    later = [
        result.step.id
        for result in rest
        if not result.step.apply and not result.step.drill and result.outcome.status is Status.BLOCKED
    ]
    wrong = [
        result
        for result in rest
        if not (result.step.apply or result.step.drill) and result.outcome.status is not Status.BLOCKED
    ]
    writes, unknown = _writes(world) if "T048" in steps else ([], "")
    wrong_writes = [each for each in writes if each.refused]
    spent = journal.spent()
    pending = [result.step for result in rest]
    path = longest_path(pending, spent)
    code = CHANGES if done or drills or writes else BLOCKED if wrong else NOTHING
    document: dict[str, Any] = {
        "target": target,
        "passed": len(run.with_status(Status.PASSED)),
        "steps": len(steps.steps),
        "apply": [_row(result) for result in done],
        "objects": [asdict(each) for each in writes],
        "objects_unknown": unknown,
        "drills": drills,
        "then_checked": later,
        "in_the_way": [_row(result) for result in wrong],
        "side_by_side": rows(pending),
        "critical_path": path,
        "critical_path_seconds": round(sum(spent.get(each, 0.0) for each in path), 1),
        "last_run_seconds": journal.took([step.id for step in steps.steps]),
        "exit_code": code,
    }
    if as_json:
        out.line(dumps(**document))
        sys.exit(code)
    out.line(f"{document['passed']} of {document['steps']} steps of inv {target} pass already.")
    _section(out, "Will be done", [_reason(result) for result in done])
    _section(out, "Objects that will be written", [_words(each) for each in writes if not each.refused])
    _section(out, "Objects that the server would refuse", [_words(each) for each in wrong_writes])
    _section(out, "Objects cannot be foreseen yet", [unknown] if unknown and done else [])
    _section(out, "Drills, which disturb the application and restore it", _listed(drills))
    _section(out, "Will be checked after that", _listed(later))
    _section(out, "In the way, and not for this command to change", [_reason(result) for result in wrong])
    _section(out, "Side by side, one row after another", [", ".join(row) for row in document["side_by_side"]])
    if path:
        seconds = document["critical_path_seconds"]
        out.line(
            f"Longest chain: {' -> '.join(path)}" + (f" ({duration(seconds)} last time)" if seconds else "")
        )
    if (last := document["last_run_seconds"]) is not None:
        out.line(f"The last run of this command that passed took {duration(last)}.")
    if code == NOTHING:
        out.line("Nothing to do.")
    sys.exit(code)


def show_drift(settings: Settings, *, as_json: bool = False) -> None:
    """Each difference between live objects and the release that installed them; exit 0 for none, 4 for some."""
    out = Writer(sys.stdout)
    found = forecast.drift(World.of(settings))
    code = CHANGES if any(found.values()) else NOTHING
    if as_json:
        out.line(dumps(releases=found, exit_code=code))
    else:
        for release, differences in found.items():
            out.line(f"{release}: {f'{len(differences)} differences' if differences else 'as installed'}")
            for each in differences:
                out.line(f"  {each}")
        if code:
            out.line("try: inv deploy  (what the chart says is put back)")
    sys.exit(code)


def _writes(world: World) -> tuple[list[Forecast], str]:
    """What Helm would write, and why that is not known where it is not."""
    try:
        return forecast.of_releases(world), ""
    except RunbookError as problem:
        return [], problem.observed


def rows(steps: Sequence[Step]) -> list[list[str]]:
    """The steps in rows: those of one row wait for none of each other. Drills go alone, at the end."""
    depth: dict[str, int] = {}
    for step in steps:
        if not step.drill:
            depth[step.id] = 1 + max((depth[need] for need in _before(step) if need in depth), default=-1)
    together = [[each for each, at in depth.items() if at == row] for row in sorted(set(depth.values()))]
    return together + [[step.id] for step in steps if step.drill]


def longest_path(steps: Iterable[Step], spent: Mapping[str, float]) -> list[str]:
    """The chain of steps, each waiting for the one before, that took longest last time; unknown ones count 1 s."""
    best: dict[str, tuple[float, list[str]]] = {}
    for step in steps:
        before = max((best[need] for need in _before(step) if need in best), default=(0.0, []))
        best[step.id] = (before[0] + spent.get(step.id, 1.0), [*before[1], step.id])
    return max(best.values(), default=(0.0, []))[1]


def _before(step: Step) -> tuple[str, ...]:
    """What a step waits for before it is whole."""
    return (*step.needs, step.live_after) if step.live else step.needs


def _row(result: Result) -> dict[str, str]:
    return {"id": result.step.id, "title": result.step.title, "seen": result.outcome.observed}


def _reason(result: Result) -> str:
    return f"{result.step.id}  {result.step.title}: {result.outcome.observed}"


def _words(each: Forecast) -> str:
    pods = ", its pods are recreated" if each.recreates_pods else ""
    return (
        f"{each.verb:<7} {each.kind} {each.namespace}/{each.name}{pods}{f': {each.why}' if each.why else ''}"
    )


def _listed(ids: Sequence[str]) -> list[str]:
    return [catalogue.ranges(ids)] if ids else []


def _section(out: Writer, title: str, lines: Sequence[str]) -> None:
    if lines:
        out.line(f"{title}:")
        for line in lines:
            out.line(f"  {line}")
