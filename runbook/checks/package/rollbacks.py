"""`helm rollback`: to the revision before in the live release, and to the first one in a release of its own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from runbook.app.application import MCP_SERVER
from runbook.engine.step import Outcome, failed, passed
from runbook.probes import first_revision, upgrading
from runbook.probes.first_revision import SCRATCH
from runbook.probes.upgrading import MARK, marked
from runbook.probes.users import watched

if TYPE_CHECKING:
    from runbook.world import World


def returns(world: World) -> Outcome:
    """After a rollback manifest, live objects and pods are what the named revision says; what came later is gone.

    Live: to the revision before, while requests are made. To revision 1: in a release of its own, whose history begins
    with it; the live one keeps ten revisions, and what its first one was nobody wants back.

    Source: T103, D-36.
    """
    settings = world.settings
    wanted = "manifest, objects and pods as the revision that was asked for says"
    hint = f"helm history {settings.release} --namespace {settings.namespace}"
    world.api.guard()
    with watched(world) as load, upgrading.restored(world) as start:
        overrides = {MCP_SERVER.name: {"podAnnotations": {MARK: secrets.token_hex(4)}}}
        upgrading.roll_out(world, start, overrides)
        problems = [] if marked(world, settings.namespace) else ["the change did not reach the pods"]
        upgrading.roll_back(world, start)
        problems += [f"live: {told}" for told in start.differences(world)]
        if marked(world, settings.namespace):
            problems.append("live: a pod still has what the rollback takes away")
    problems += load.problems()
    if not problems:
        problems += [f"in {SCRATCH}: {told}" for told in _to_the_first(world)]
    if problems:
        return failed(
            "; ".join(problems), wanted=wanted, hint=hint, failures=list(map(str, load.failures[:10]))
        )
    return passed(
        f"live: back to revision {start.revision.revision}, {load}; in a namespace of its own: from revision 2 with"
        " two pods and a budget to revision 1 with one pod and none",
        wanted=wanted,
        requests=load.made,
    )


def _to_the_first(world: World) -> list[str]:
    """Revision 1, 2, and back to 1: what is wrong with what is there then."""
    seen = first_revision.roll_back(world)
    first, second, last = seen.first.revision, seen.second.revision, seen.last.revision if seen.last else None
    if first is None or second is None or last is None or seen.last is None:
        return ["Helm did not make revisions 1 and 2"]
    problems = []
    if not seen.second.budget or not seen.second.marked:
        problems.append("revision 2 did not bring what it should")
    if (last.revision, last.status, last.description()) != (3, "deployed", "Rollback to 1"):
        problems.append(f"revision {last.revision} is {last.status}: {last.description()}")
    if last.manifest() != first.manifest():
        problems.append("the manifest is not that of revision 1")
    problems += seen.differences
    if seen.last.budget:
        problems.append("the PodDisruptionBudget of revision 2 is still there")
    if seen.last.marked:
        problems.append("a pod of revision 2 is still there")
    return problems
