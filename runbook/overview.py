"""The commands that only look: the list of steps, the state of things, what a deploy would change."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from runbook import catalogue
from runbook.cluster import ClusterStatus
from runbook.entry import journal_of
from runbook.errors import RunbookError
from runbook.events import Mode, Result
from runbook.journal import Entry
from runbook.lock import one_run
from runbook.plan import plan
from runbook.report.words import MARKS, PLAIN_MARKS
from runbook.report.writer import Writer
from runbook.runner import walk
from runbook.settings import Settings
from runbook.step import Status, Step
from runbook.world import World

NEVER = "never run"


def list_steps(settings: Settings, *, as_json: bool) -> None:
    """All steps of the catalogue with what the last run of each saw."""
    out = Writer(sys.stdout)
    last = journal_of(settings).last()
    if as_json:
        rows = [_row(step, last.get(step.id)) for step in catalogue.STEPS]
        out.line(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    marks = MARKS if out.is_unicode else PLAIN_MARKS
    spans = {phase.name: phase.span for phase in catalogue.PHASES}
    phase = ""
    for step in catalogue.STEPS:
        if step.phase != phase:
            phase = step.phase
            out.line(f"\n{phase.capitalize()}{f' ({step.story})' if step.story else ''}: {spans[phase]}")
        entry = last.get(step.id)
        status = entry.outcome.status.value if entry else NEVER if step.check else "not built yet"
        mark = marks[entry.outcome.status] if entry else " "
        printed = f" (printed {step.printed})" if step.printed != step.id else ""
        needs = f"  needs {', '.join(step.needs)}" if step.needs else ""
        out.line(f"  {mark:<2} {step.id}  {status:<13}  {step.title}{printed}{needs}")


def _row(step: Step, entry: Entry | None) -> dict[str, Any]:
    return {
        "id": step.id,
        "printed": step.printed,
        "title": step.title,
        "phase": step.phase,
        "story": step.story,
        "needs": list(step.needs),
        "built": step.check is not None,
        "status": entry.outcome.status.value if entry else None,
        "observed": entry.outcome.observed if entry else None,
        "at": entry.at if entry else None,
    }


def show_status(settings: Settings, *, as_json: bool, details: bool) -> None:
    """The cluster, the last outcomes and the address, in a few lines."""
    out = Writer(sys.stdout)
    journal = journal_of(settings)
    cluster = _cluster_status(settings)
    last = journal.last()
    ids = {status: sorted(i for i, e in last.items() if e.outcome.status is status) for status in Status}
    url = f"http://{settings.host}/"
    if as_json:
        steps = {status.value: ids[status] for status in Status}
        out.line(json.dumps({**_cluster_row(settings, cluster), "url": url, "steps": steps}, indent=2))
        return
    _tell_cluster(out, settings, cluster)
    counted = ", ".join(f"{len(ids[status])} {status.value}" for status in Status if ids[status])
    out.line(f"steps    {counted or 'none asked yet; try: inv deploy'}")
    for status in (Status.FAILED, Status.UNPROVEN, Status.BLOCKED):
        for step_id in ids[status] if details or status is Status.FAILED else []:
            out.line(f"         {step_id} {status.value}: {last[step_id].outcome.observed}")
    if cluster.running and "T051" in ids[Status.PASSED]:
        out.line(f"open     {url}")
    out.line(f"journal  {journal.path}")


def show_cluster(settings: Settings, *, as_json: bool) -> int:
    """The cluster and its parts; 0 only when it runs."""
    out = Writer(sys.stdout)
    cluster = _cluster_status(settings)
    if as_json:
        out.line(json.dumps(_cluster_row(settings, cluster), indent=2))
    else:
        _tell_cluster(out, settings, cluster)
    return 0 if cluster.running else 1


def show_kubeconfig(settings: Settings) -> None:
    """The path alone on standard output, for $(...); the context beside it for people."""
    pin = World.of(settings).cluster.kubeconfig()
    Writer(sys.stdout).line(str(pin.path))
    Writer(sys.stderr).line(f"context: {pin.context}")


def _cluster_status(settings: Settings) -> ClusterStatus:
    try:
        return World.of(settings).cluster.status()
    except RunbookError as error:
        return ClusterStatus(settings.cluster, False, str(error))


def _cluster_row(settings: Settings, cluster: ClusterStatus) -> dict[str, Any]:
    return {
        "cluster": settings.cluster_name,
        "provider": cluster.provider,
        "running": cluster.running,
        "detail": cluster.detail,
        "version": cluster.version,
        "parts": dict(cluster.parts),
    }


def _tell_cluster(out: Writer, settings: Settings, cluster: ClusterStatus) -> None:
    version = f", Kubernetes {cluster.version}" if cluster.version else ""
    out.line(f"cluster  {settings.cluster_name} ({cluster.provider}{version}): {cluster.detail}")
    for name, state in cluster.parts.items():
        out.line(f"         {name}: {state}")


def show_plan(settings: Settings, asked: Iterable[str]) -> None:
    """Ask everything and say what a deploy would change; changes nothing."""
    out = Writer(sys.stdout)
    steps = plan(asked, catalogue.STEPS)
    with one_run(settings.state, "plan", alone=False):
        run = walk(
            steps, World.of(settings), mode=Mode.VERIFY, journal=journal_of(settings), sink=lambda _: None
        )
    _section(out, "Stands already", [f"{len(run.with_status(Status.PASSED))} of {len(steps.steps)} steps"])
    rest = [result for result in run.results if not result.outcome.green]
    made = [result for result in rest if result.step.apply]
    later = [result for result in rest if not result.step.apply and result.outcome.status is Status.BLOCKED]
    wrong = [result for result in rest if result not in made and result not in later]
    _section(out, "Would be made", [_reason(result) for result in made])
    _section(
        out, "Would be asked after that", [", ".join(result.step.id for result in later)] if later else []
    )
    _section(out, "In the way, and not for a deploy to change", [_reason(result) for result in wrong])


def _reason(result: Result) -> str:
    return f"{result.step.id}  {result.step.title}: {result.outcome.observed}"


def _section(out: Writer, title: str, lines: list[str]) -> None:
    if lines:
        out.line(f"{title}:")
        for line in lines:
            out.line(f"  {line}")
