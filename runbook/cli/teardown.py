"""The commands that take away: each says what goes and what stays, and asks; where nobody can be asked: `--yes`."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress

from runbook.actions.cluster import cleanup, prospect
from runbook.actions.cluster.cleanup import Removed
from runbook.actions.cluster.prospect import Prospect
from runbook.cli.entry import sweep
from runbook.cli.lock import one_run
from runbook.engine.errors import UsageError
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status, failed, passed
from runbook.report.words import MARKS, PLAIN_MARKS, explanation
from runbook.report.writer import Writer
from runbook.world import World

NOTHING = "nothing was removed"


def leave_mesh(chosen: Settings) -> None:
    """Take the sidecars out of the application, then remove Dapr and Redis, and exit with what came of it."""
    from runbook.actions.dapr import mesh
    from runbook.app.dapr import ownership as dapr_ownership

    out = Writer(sys.stdout)
    with one_run(chosen.state, "dapr.remove"):
        world = World.of(chosen).for_step(out.line)
        left, others = mesh.leave(world), dapr_ownership.foreign(world)
    out.line(f"Still there: {', '.join(left)}" if left else "Nothing is left of Dapr and Redis that is ours.")
    for each in others:
        out.line(f"stays: {each}")
    sys.exit(1 if left else 0)


def cluster_down(chosen: Settings, *, yes: bool, unseen: bool = False) -> None:
    """Remove the cluster, where this installation made it and nothing of anybody else is in it."""
    out, world = Writer(sys.stdout), World.of(chosen)
    if refusal := cleanup.cluster_refusal(world, unseen=unseen):
        raise refusal
    coming = prospect.of_cluster(world, unseen=unseen)
    if coming.goes:
        _agree(out, coming, yes, "inv cluster.down --yes")
    with one_run(chosen.state, "cluster.down"):
        if refusal := cleanup.cluster_refusal(world, unseen=unseen):  # what came while the question was open
            raise refusal
        world.cluster.down(out.line)
        left = world.cluster.status()
    if left.running or left.parts:
        out.line(f"The cluster {chosen.cluster_name} is still there: {left.detail}")
        sys.exit(1)
    out.line(
        f"The cluster {chosen.cluster_name} is gone."
        if coming.goes
        else f"There is no cluster {chosen.cluster_name}."
    )


def clean(chosen: Settings, *, yes: bool, unseen: bool = False, cache: bool = False) -> None:
    """Remove what the runbook made and prove each part gone; say what stays. Exits with what came of it."""
    from runbook.actions.tools import toolchain

    out = Writer(sys.stdout)
    world = World.of(chosen).for_step(out.line)
    _agree(out, prospect.of_cleanup(world, unseen=unseen, cache=cache), yes, "inv cleanup --yes")
    with one_run(chosen.state, "cleanup"):
        sweep(world, out)
        removed = [*cleanup.remove_all(world, unseen=unseen)]
        removed.append(Removed("build engine", toolchain.stop_engine(world)))
        if cache:
            removed.append(Removed("cache", _remove_cache(world)))
        code = cleanup.exit_code(removed)
        stays = prospect.machine(world)
        if code == 0:
            _forget(chosen)
    marks = MARKS if out.is_unicode else PLAIN_MARKS
    for each in removed:
        status = each.outcome.status
        out.line(f"{marks[status]} {status.value:<8} {each.what}: {each.outcome.observed}")
        if not each.outcome.green:
            for name, text in explanation(each.outcome)[1:]:
                out.line(f"  {name:<8} {text}")
    left = [each for each in removed if each.outcome.status is not Status.PASSED]
    where = "; on this machine stay:" if stays else "."
    out.line(
        f"{len(left)} of {len(removed)} parts are not proved gone{where}"
        if left
        else f"All that was made for cluster {chosen.cluster_name} is gone{where}"
    )
    for line in stays:
        out.line(f"  {line}")
    sys.exit(code)


def _agree(out: Writer, coming: Prospect, yes: bool, command: str) -> None:
    """Say what goes and what stays, and go on only after a yes. Raises `UsageError`: nothing was changed."""
    for title, lines in (("Goes:", coming.goes or ("nothing that is known",)), ("Stays:", coming.stays)):
        if lines:
            out.line(title)
        for line in lines:
            out.line(f"  {line}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            f"{NOTHING}: nobody can be asked where there is no terminal", wanted="--yes", hint=command
        )
    try:
        answer = input("Remove what goes? [y/N] ")
    except EOFError:
        answer = ""
        out.line("")
    if answer.strip().lower() not in ("y", "yes"):
        raise UsageError(NOTHING, wanted="a yes", hint=command)


def _remove_cache(world: World) -> Outcome:
    """Unless another cluster of ours runs on what is in it."""
    from runbook.actions.tools import toolchain

    folder = world.settings.cache
    wanted = f"no folder {folder}"
    own = [world.cluster.name] if world.cluster.status().running else []
    if used := own + toolchain.running_clusters(world):
        return failed(
            f"{folder} stays: cluster {', '.join(used)} runs on it",
            wanted=wanted,
            hint="clean those clusters first",
        )
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        return failed(f"{folder} could not be removed as a whole", wanted=wanted, hint=f"ls -la {folder}")
    return passed(f"{folder} is gone; the next run makes it again", wanted=wanted)


def _forget(chosen: Settings) -> None:
    """The journal and the evidence of a cluster that is no more."""
    shutil.rmtree(chosen.state, ignore_errors=True)
    with suppress(OSError):
        chosen.state.parent.rmdir()
