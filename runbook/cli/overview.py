"""The commands that only look: the list of steps, the state of things."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from runbook import catalogue
from runbook.cli.entry import PAGE, journal_of
from runbook.clients.process import environment
from runbook.cluster import ClusterStatus
from runbook.engine.attempt import fingerprint_of
from runbook.engine.errors import RunbookError, UsageError
from runbook.engine.journal import NOWHERE, Entry, Place
from runbook.engine.settings import Settings
from runbook.engine.step import Status, Step, unproven
from runbook.ownership import installation
from runbook.report.json import dumps
from runbook.report.words import MARKS, PLAIN_MARKS
from runbook.report.writer import Writer
from runbook.world import World

NEVER = "never run"
OLDER = "proved for an older release than the one that runs now"
DESKTOP = (
    *("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "XAUTHORITY"),
    *("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_CURRENT_DESKTOP"),
)
"""What `webbrowser` and the browser need to find a desktop."""
PROVE = "inv verify.step {} --drills"


def list_steps(settings: Settings, *, as_json: bool, failed: bool = False) -> None:
    """All steps of the catalogue with what the last run of each saw on the cluster that answers now, and how old it is.

    What was seen on another cluster, or where none answers, counts for nothing here. `failed`: only those that were
    checked and did not pass.
    """
    out = Writer(sys.stdout)
    world = World.of(settings)
    here = cluster_now(world)
    last = _as_of_now(world, journal_of(settings, world).last(), here)
    shown = [step for step in catalogue.STEPS if not failed or _is_red(last.get(step.id), here)]
    if as_json:
        rows = [_row(step, last.get(step.id), here) for step in shown]
        out.line(dumps(steps=rows))
        return
    marks = MARKS if out.is_unicode else PLAIN_MARKS
    spans = {phase.name: phase.span for phase in catalogue.PHASES}
    phase = ""
    if failed and not shown:
        out.line("no step that was checked on this cluster failed")
    for step in shown:
        if step.phase != phase:
            phase = step.phase
            out.line(f"\n{phase.capitalize()}{f' ({step.story})' if step.story else ''}: {spans[phase]}")
        entry = last.get(step.id)
        valid = entry is not None and entry.place.is_here(here)
        status = NEVER if step.check else "not built yet"
        if entry:
            status = entry.outcome.status.value if valid else "unknown"
        mark = marks[entry.outcome.status] if entry and valid else " "
        age = _age(entry) if entry else ""
        printed = f" (printed {step.printed})" if step.printed != step.id else ""
        needs = f"  needs {', '.join(step.needs)}" if step.needs else ""
        then = f"  [{entry.outcome.status.value} on {_elsewhere(entry, here)}]" if entry and not valid else ""
        out.line(f"  {mark:<2} {step.id}  {status:<13}  {age:<13}  {step.title}{printed}{needs}{then}")


def _is_red(entry: Entry | None, here: Place) -> bool:
    return entry is not None and entry.place.is_here(here) and not entry.outcome.green


def standing(settings: Settings) -> dict[str, tuple[Status, str]]:
    """What counts on the cluster that answers now: status and age of each step's last outcome there."""
    world = World.of(settings)
    here = cluster_now(world)
    last = _as_of_now(world, journal_of(settings, world).last(), here)
    return {
        step: (entry.outcome.status, _age(entry)) for step, entry in last.items() if entry.place.is_here(here)
    }


def _as_of_now(world: World, entries: Mapping[str, Entry], here: Place) -> dict[str, Entry]:
    """What was last seen; a drill's proof counts for the release that runs now alone, as it does in a run."""
    steps = {step.id: step for step in catalogue.STEPS}

    def older(entry: Entry) -> bool:
        step = steps.get(entry.step)
        if (
            step is None
            or step.fingerprint is None
            or not entry.outcome.green
            or not entry.place.is_here(here)
        ):
            return False
        return fingerprint_of(step, world) != entry.fingerprint

    return {
        name: replace(
            entry, outcome=unproven(OLDER, wanted="a proof for what runs now", hint=PROVE.format(name))
        )
        if older(entry)
        else entry
        for name, entry in entries.items()
    }


def cluster_now(world: World) -> Place:
    """The cluster that answers now; nowhere where none does."""
    try:
        if not world.cluster.status().running:
            return NOWHERE
        return Place(world.cluster.provider, world.api.uid(), installation.known(world.settings))
    except RunbookError:
        return NOWHERE


def _elsewhere(entry: Entry, here: Place) -> str:
    """Where an outcome was seen that does not count here."""
    if not entry.place.cluster:
        return "no cluster that is known"
    return (
        "another cluster" if here.cluster else f"a cluster ({entry.place.provider}) that does not answer now"
    )


def _age(entry: Entry) -> str:
    """How long ago; a clock that was set back is no reason for a number below zero."""
    seconds = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(entry.at)).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def _row(step: Step, entry: Entry | None, here: Place) -> dict[str, Any]:
    valid = entry is not None and entry.place.is_here(here)
    return {
        "id": step.id,
        "printed": step.printed,
        "title": step.title,
        "phase": step.phase,
        "story": step.story,
        "needs": list(step.needs),
        "built": step.check is not None,
        "status": entry.outcome.status.value if entry and valid else None,
        "observed": entry.outcome.observed if entry and valid else None,
        "at": entry.at if entry else None,
        "place": asdict(entry.place) if entry else None,
    }


def show_status(settings: Settings, *, as_json: bool, details: bool) -> None:
    """The cluster, the last outcomes and the address, in a few lines."""
    out = Writer(sys.stdout)
    world = World.of(settings)
    journal = journal_of(settings, world)
    cluster = _cluster_status(world)
    here = cluster_now(world) if cluster.running else NOWHERE
    entries = _as_of_now(world, journal.last(), here)
    last = {step: entry for step, entry in entries.items() if entry.place.is_here(here)}
    lost = [entry for step, entry in entries.items() if step not in last]
    ids = {status: sorted(i for i, e in last.items() if e.outcome.status is status) for status in Status}
    url = f"{settings.url}/"
    if as_json:
        steps = {status.value: ids[status] for status in Status}
        at = max((entry.at for entry in last.values()), default=None)
        never = [step.id for step in catalogue.STEPS if step.id not in entries]
        elsewhere = sorted(entry.step for entry in lost)
        told = {"url": url, "steps": steps, "at": at, "elsewhere": elsewhere, "never_run": never}
        out.line(dumps(**_cluster_row(settings, cluster), **told))
        return
    _tell_cluster(out, settings, cluster)
    counted = ", ".join(f"{len(ids[status])} {status.value}" for status in Status if ids[status])
    if last:
        newest, oldest = (pick(last.values(), key=lambda entry: entry.at) for pick in (max, min))
        aged = f"asked {_age(newest)}"
        if _age(oldest) != _age(newest):
            aged += f", the oldest {_age(oldest)}"
        out.line(f"steps    {counted} ({aged})")
    elif not lost:
        out.line("steps    none asked yet; try: inv deploy")
    if lost:
        newest = max(lost, key=lambda entry: entry.at)
        out.line(
            f"steps    {len(lost)} were last asked {_age(newest)} on {_elsewhere(newest, here)}:"
            " unknown here; try: inv verify"
        )
    for status in (Status.FAILED, Status.UNPROVEN, Status.BLOCKED):
        for step_id in ids[status] if details or status is Status.FAILED else []:
            out.line(f"         {step_id} {status.value}: {last[step_id].outcome.observed}")
    if cluster.running and "T051" in ids[Status.PASSED]:
        out.line(f"open     {url}")
    out.line(f"journal  {journal.path}")


def open_application(settings: Settings) -> None:
    """Say where the application is, and show it where there is a desktop.

    Raises `RunbookError` where this machine does not find it by its name, or it does not answer.
    """
    from runbook.checks.web import host, site

    world = World.of(settings)
    for check in (host.resolves, site.answers):
        outcome = check(world)
        if not outcome.green:
            raise RunbookError(outcome.observed, wanted=outcome.wanted, hint=outcome.hint)
    _show(f"{settings.url}/")


def open_report(settings: Settings) -> None:
    """Say where the page of the last run is, and show it where there is a desktop. Raises `UsageError` without one."""
    page = settings.state / PAGE
    if not page.exists():
        raise UsageError(f"there is no page {page}", wanted="a run on this cluster", hint="inv verify")
    _show(page.as_uri())


def _show(url: str) -> None:
    """The address on standard output, and in the browser of a desktop; over SSH it is the address alone."""
    import webbrowser

    Writer(sys.stdout).line(url)
    desktop = {name: text for name in DESKTOP if (text := environment.given(name))}
    if sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"} & desktop.keys():
        os.environ.update(desktop)  # children have none of it otherwise
        webbrowser.open(url)


def show_cluster(settings: Settings, *, as_json: bool) -> int:
    """The cluster and its parts; 0 only when it runs."""
    out = Writer(sys.stdout)
    cluster = _cluster_status(World.of(settings))
    if as_json:
        out.line(dumps(**_cluster_row(settings, cluster)))
    else:
        _tell_cluster(out, settings, cluster)
    return 0 if cluster.running else 1


def show_kubeconfig(settings: Settings) -> None:
    """The path alone on standard output, for $(...); the context beside it for people."""
    pin = World.of(settings).cluster.kubeconfig()
    if not pin.path.exists():
        raise UsageError(
            f"there is no kubeconfig at {pin.path}",
            wanted="a cluster that was started",
            hint="inv cluster.up",
        )
    Writer(sys.stdout).line(str(pin.path))
    Writer(sys.stderr).line(f"context: {pin.context}")


def _cluster_status(world: World) -> ClusterStatus:
    try:
        return world.cluster.status()
    except RunbookError as error:
        return ClusterStatus(world.settings.cluster, False, str(error))


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
