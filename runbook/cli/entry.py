"""What each command does: read the settings, choose steps, walk them, report. tasks.py only names these."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from invoke.config import Config

from runbook import catalogue
from runbook.cli import production
from runbook.cli.lock import one_run
from runbook.clients.kube.pin import PINNED, Pin
from runbook.clients.process import environment
from runbook.engine import state_file
from runbook.engine.errors import RunbookError, UsageError
from runbook.engine.events import Event, Finished, Mode, Run
from runbook.engine.journal import NOWHERE, Journal, Place
from runbook.engine.plan import Plan, plan
from runbook.engine.runner import walk
from runbook.engine.settings import Settings, database_url, load
from runbook.ownership import installation
from runbook.report import Reporter
from runbook.report import files as report_files
from runbook.report.writer import Writer
from runbook.world import World

if TYPE_CHECKING:
    from runbook.engine.step import Step

FORMS = {
    f".{end}": f"runbook.report.{name}"
    for end, name in (("json", "json"), ("xml", "junit"), ("html", "html"))
}
"""What `--report` writes, by the end of the file's name."""

PAGE = "report.html"
"""The page of the last run, in the state folder."""

TOOLS = ("T004", "T005", "T006", "T007", "T008")
IMAGES = ("T012", "T014", "T018", "T019", "T034", "T037")
CLUSTER = ("T043", "T044", "T047")
HELD = ("T046",)
PLANE = ("T079", "T080")
"""Dapr's control plane, without the application."""
DEPLOYMENT = catalogue.of_phases("setup", "foundation", "deployment")
EVERYTHING = tuple(step.id for step in catalogue.STEPS)
SECURITY = catalogue.of_phases("security")
TRAFFIC = ("T077", "T078")
"""Asked by traffic in the cluster, and by a command of its own."""
STANDING = tuple(step for step in SECURITY if step not in TRAFFIC)
"""Asked of what stands there, without traffic."""
AUTOMATION = catalogue.of_phases("automation")
MESH = catalogue.of_phases("mesh")
PACKAGE = catalogue.of_phases("packaging")
DATABASE = catalogue.of_phases("persistence")


def settings(config: Config, cluster: str = "", name: str = "", env: str = "") -> Settings:
    """Settings from Invoke's configuration, the environment and the flags that say where a command is about."""
    section, place = _section(config)
    given = {**os.environ, **environment.remembered()}
    chosen = load(section, {"cluster": cluster, "cluster_name": name, "env": env}, given, place=place)
    environment.adopt(environment.PLUGINS if chosen.cluster == "existing" else ())
    environment.direct("localhost", "127.0.0.1", "::1", chosen.host, *environment.NEAR)
    return chosen


LEVELS = {
    "_runtime": "in the file of -f",
    "_env": "by INVOKE_RUNBOOK_...",
    "_project": "in invoke.yaml",
    "_user": "in ~/.invoke.yaml",
    "_system": "in /etc/invoke.yaml",
}
"""Where Invoke takes settings from, first one first (https://docs.pyinvoke.org/en/stable/concepts/configuration.html)."""


def _section(config: Config) -> tuple[Mapping[str, Any], str]:
    """The `runbook:` section, and where it comes from. Raises UsageError for a section that a typing error hides."""
    for level in ("_project", "_runtime"):
        for key in getattr(config, level, None) or {}:
            if key != "runbook" and key not in Config.global_defaults():
                raise UsageError(
                    f"{key} {LEVELS[level]} is not a known section", wanted="runbook?", hint="see invoke.yaml"
                )
    place = next(
        (words for name, words in LEVELS.items() if "runbook" in (getattr(config, name, None) or {})), ""
    )
    section = config.get("runbook") or {}
    if not hasattr(section, "keys"):
        raise UsageError(
            f"`runbook` {place or 'in invoke.yaml'} is not a mapping",
            wanted="runbook: and indented keys below it",
        )
    return section, place or "in invoke.yaml"


def journal_of(chosen: Settings, world: World | None = None) -> Journal:
    """The journal of a cluster. What is written into it wants the world, which says on which cluster it was seen."""
    there = world or World.of(chosen)
    return Journal(chosen.state / "journal.jsonl", lambda: _pinned(there))


def _pinned(world: World) -> Place:
    """The cluster that this run writes to, by its pin; nowhere where that cannot be read, which steps will say."""
    try:
        uid = Pin(world.settings.state / PINNED).uid
        return Place(world.cluster.provider, uid, installation.known(world.settings)) if uid else NOWHERE
    except RunbookError:
        return NOWHERE


def one(name: str, *, printed: bool = False) -> tuple[str, ...]:
    """The step that a user names by its id or, with `printed`, by the number that the list prints.

    Of a requirement (AS-007, SC-003, FR-014) the steps that prove it.
    """
    from runbook.catalogue.requirements import BY_ID

    if requirement := BY_ID.get(name.strip().upper()):
        if not requirement.steps:
            raise UsageError(f"no step proves {requirement.id}", hint=f"inv explain {requirement.id}")
        return requirement.steps
    if len(named := name.replace(",", " ").split()) > 1:
        raise UsageError(
            f"{len(named)} steps: {name}", wanted="one step at a time", hint=f"inv verify.step {named[0]}"
        )
    return (catalogue.find(name, printed=printed).id,)


def make(
    chosen: Settings,
    command: str,
    asked: Iterable[str],
    *,
    json: bool = False,
    files: Sequence[str] = (),
    drills: bool = False,
    changes: Iterable[str] = (),
    confirm: str = "",
) -> None:
    """Make the asked steps and all that they need pass, and exit with what came of it.

    `changes`: the application may come to another `database`, another `model` than the ones that it uses.
    """
    _walk(chosen, command, asked, Mode.APPLY, json, files, drills, changes=changes, confirm=confirm)


def prepare(chosen: Settings) -> None:
    """Say what a setup would install and how long that takes, then do it, and exit with what came of it."""
    if World.of(chosen).cluster.provider == "embedded":
        from runbook.cluster.embedded.setup import setup_plan

        writer = Writer(sys.stdout)
        for line in setup_plan(chosen):
            writer.line(line)
    make(chosen, "setup", TOOLS)


def ask(
    chosen: Settings,
    command: str,
    asked: Iterable[str],
    *,
    json: bool = False,
    files: Sequence[str] = (),
    drills: bool = False,
) -> None:
    """Ask the steps and all that they need, and exit with what came of it.

    Changes nothing; drills, which are asked only with `drills`, restore what they disturb.
    """
    _walk(chosen, command, asked, Mode.VERIFY, json, files, drills)


def ask_turned_on(
    chosen: Settings, command: str, *, json: bool = False, files: Sequence[str] = (), drills: bool = False
) -> None:
    """Ask every step that is turned on, name the others, and exit with what came of those that were asked."""
    from runbook.cli import turned_on
    from runbook.cli.overview import cluster_now

    world = World.of(chosen)
    off = turned_on.turned_off(world, journal_of(chosen, world), cluster_now(world))
    asked = [step for step in EVERYTHING if step not in off]
    _walk(chosen, command, asked, Mode.VERIFY, json, files, drills, off=off)


def ask_only(
    chosen: Settings,
    command: str,
    asked: Iterable[str],
    *,
    json: bool = False,
    files: Sequence[str] = (),
    drills: bool = False,
) -> None:
    """Ask the cluster exactly these steps, in a moment.

    What they rest on (images, cluster), and how the chart renders, is `inv verify`'s to ask.
    """
    wanted = frozenset(asked)
    steps = tuple(
        replace(
            step,
            check=step.live or step.check,
            live=None,
            needs=tuple(need for need in step.needs if need in wanted),
        )
        for step in catalogue.STEPS
        if step.id in wanted
    )
    _walk(chosen, command, wanted, Mode.VERIFY, json, files, drills, among=steps)


def kill_mutants(chosen: Settings, name: str, only: Sequence[str] = (), *, json: bool = False) -> None:
    """Plant each fault of a group in the live cluster, see exactly its steps turn red, and restore; then exit.

    0 where all were killed, 1 where one survived, 3 where one could not be judged.
    """
    from runbook import faults
    from runbook.cli import coverage
    from runbook.faults import trial
    from runbook.report import trials

    wanted = faults.only(faults.group(name, chosen), only)
    writer = Writer(sys.stderr if json else sys.stdout)
    with one_run(chosen.state, f"verify.mutants {name}"):
        run, world = wanted.run or trial.run, World.of(chosen)
        _refuse_foreign(world, plan(wanted.steps, catalogue.STEPS))
        sweep(world, writer)
        verdicts = trials.told(writer, wanted, run(world, wanted, journal_of(chosen, world)))
        coverage.remember(chosen, wanted.name, verdicts)
    if json:
        Writer(sys.stdout).line(trials.as_json(wanted, verdicts))
    sys.exit(trials.exit_code(verdicts))


def _walk(
    chosen: Settings,
    command: str,
    asked: Iterable[str],
    mode: Mode,
    json: bool,
    files: Sequence[str],
    drills: bool,
    among: Sequence[Step] | None = None,
    changes: Iterable[str] = (),
    off: Mapping[str, str] | None = None,
    confirm: str = "",
) -> None:
    steps = replace(plan(asked, catalogue.STEPS if among is None else among), off=off or {})
    writers = report_files.writers(files, FORMS)
    writer = Writer(sys.stderr if json else sys.stdout)
    reporter = reporter_for(writer, f"{chosen.url}/" if "T052" in steps else "")
    alone = mode is Mode.APPLY or drills
    with one_run(chosen.state, command, alone=alone):
        world = World.of(chosen, frozenset(changes))
        if mode is Mode.APPLY and world.cluster.builds_inside:
            steps = catalogue.engine_first(steps)
        if "T043" in steps and world.cluster.provider == "existing":
            world.cluster.kubeconfig()  # without a context nothing of it could be asked: one line instead of 40
        if mode is Mode.APPLY and "T048" in steps:
            production.agree(world, writer, command, confirm)
            from runbook.actions.security import backing_services

            backing_services.check(world)
            if given := chosen.database_url.get_secret_value():
                from runbook.clients.database import try_once

                try_once(database_url.read(given), chosen.database_authority)
            if chosen.openai_api_key.get_secret_value() or chosen.openai_base_url:
                from runbook.clients import model

                model.try_once(chosen, world.cluster.machine_address)
        if mode is Mode.APPLY or drills:
            _refuse_foreign(world, steps)
        swept = sweep(world, writer, alone=alone)

        def sink(event: Event) -> None:
            """A cluster that this run starts may hold what a killed run left: looked at before any step uses it."""
            nonlocal swept
            reporter.on_event(event)
            if writer.gone and mode is Mode.VERIFY and not json and not files:
                raise KeyboardInterrupt  # `inv verify | head`: nobody reads what else would be found
            if not swept and isinstance(event, Finished) and event.result.step.id == "T043":
                swept = sweep(world, writer, alone=alone)

        journal = journal_of(chosen, world)
        run = walk(steps, world, mode=mode, journal=journal, sink=sink, drills=drills)
    reporter.end(run)
    if json:
        from runbook.report import json as as_json

        Writer(sys.stdout).line(as_json.text(run))
    for write in writers:
        write(run)
    _keep_page(chosen, run)
    sys.exit(run.exit_code)


def _keep_page(chosen: Settings, run: Run) -> None:
    """The last run as a page beside the journal, for `inv report.open`; a disk that takes none is no failure."""
    from runbook.report import html

    with suppress(RunbookError, OSError):
        state_file.write(chosen.state / PAGE, html.text(run))


def sweep(world: World, out: Writer, *, alone: bool = True) -> bool:
    """Put back what a killed run left planted, and say so. False where no cluster answers: nobody knows then.

    `alone`: no other run is at work, so pods of a survey are nobody's, and go.
    """
    from runbook.faults import sweeping
    from runbook.netpol.traffic import visitors

    try:
        there = sweeping.left(world)
        if alone:
            visitors.make_room(world, older=timedelta(0))
    except RunbookError:
        return False
    if there:
        out.line(
            f"Putting back what an interrupted run had planted: {', '.join(each.words for each in there)}."
        )
        sweeping.sweep(world)
    return True


def _refuse_foreign(world: World, steps: Plan) -> None:
    """Before the first step: what is somebody else's on the cluster ends a command that would have to change it."""
    from runbook.actions import ownership
    from runbook.actions.package import release
    from runbook.app.dapr import ownership as dapr_ownership

    asked = [
        ("T048", release.refuse_other_environment),
        ("T048", release.refuse_foreign),
        ("T079", dapr_ownership.refuse_foreign),
    ]
    ownership.before_writing(world, [ask for step, ask in asked if step in steps])


def reporter_for(writer: Writer, url: str = "") -> Reporter:
    """A live display on a terminal, plain lines elsewhere."""
    if writer.is_terminal:
        from runbook.report.console import ConsoleReporter

        return ConsoleReporter(writer, url)
    from runbook.report.plain import PlainReporter

    return PlainReporter(writer, url)
