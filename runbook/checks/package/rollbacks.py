"""`helm rollback`: to the revision before in the live release, and to the first one in a release of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from runbook.actions.cluster import namespace, rollout
from runbook.actions.package import release
from runbook.app import namespaces
from runbook.app.application import MCP_SERVER, SECRET
from runbook.app.drift import differences
from runbook.app.secrets.secret_data import opaque
from runbook.app.secrets.secret_values import SHORTEST
from runbook.checks.chart.rendering import DEVELOPMENT, chart_of
from runbook.clients.helm import Values
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import newest, revisions
from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import conceal
from runbook.engine.step import Outcome, failed, passed
from runbook.ownership.installation import namespace_problem
from runbook.probes import upgrading
from runbook.probes.visits import visited

if TYPE_CHECKING:
    from runbook.world import World

MARK = "todo.runbook/drill"
SCRATCH = "todo-drill"
READY = 120.0
"""Seconds for the one pod of the scratch release; and for its namespace to go."""

BUDGET = ("PodDisruptionBudget", MCP_SERVER.name)
"""What revision 2 of the scratch release has and revision 1 has not."""


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
    with visited(world) as visits, upgrading.restored(world) as start:
        overrides = {MCP_SERVER.name: {"podAnnotations": {MARK: secrets.token_hex(4)}}}
        release.roll_out(world, start.changed(overrides))
        problems = [] if _marked(world, settings.namespace) else ["the change did not reach the pods"]
        world.progress(f"helm rollback {settings.release} {start.revision.revision}")
        world.helm.rollback(settings.release, start.revision.revision, settings.namespace)
        release.wait(world)
        problems += [f"live: {told}" for told in start.differences(world)]
        if _marked(world, settings.namespace):
            problems.append("live: a pod still has what the rollback takes away")
    problems += visits.problems()
    if not problems:
        problems += [f"in {SCRATCH}: {told}" for told in _to_the_first(world)]
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, failures=visits.failures[:10])
    return passed(
        f"live: back to revision {start.revision.revision}, {visits}; in a namespace of its own: from revision 2 with"
        " two pods and a budget to revision 1 with one pod and none",
        wanted=wanted,
        requests=visits.made,
    )


def _marked(world: World, space: str) -> bool:
    """Whether a pod of the MCP server carries the drill's annotation."""
    pods = world.api.list("Pod", space, labels=f"app.kubernetes.io/name={MCP_SERVER.name}")
    return any(
        MARK in (each["metadata"].get("annotations") or {})
        for each in pods
        if not workloads.terminating(each)
    )


def _to_the_first(world: World) -> list[str]:
    """Revision 1, 2, and back to 1: what is wrong with what is there then."""
    name = world.settings.release
    with _scratch(world):
        _install(world, replicas=1)
        first = newest(world.api, name, SCRATCH)
        _install(world, replicas=2, mark=secrets.token_hex(4))
        second = newest(world.api, name, SCRATCH)
        if first is None or second is None or (first.revision, second.revision) != (1, 2):
            return ["Helm did not make revisions 1 and 2"]
        problems = []
        if world.api.get(*BUDGET, SCRATCH) is None or not _marked(world, SCRATCH):
            problems.append("revision 2 did not bring what it should")
        world.progress(f"helm rollback {name} 1 in {SCRATCH}")
        world.helm.rollback(name, 1, SCRATCH)
        _settle(world)
        last = revisions(world.api, name, SCRATCH)[-1]
        if (last.revision, last.status, last.description()) != (3, "deployed", "Rollback to 1"):
            problems.append(f"revision {last.revision} is {last.status}: {last.description()}")
        if last.manifest() != first.manifest():
            problems.append("the manifest is not that of revision 1")
        problems += differences(world.api, first.manifest(), SCRATCH)
        if world.api.get(*BUDGET, SCRATCH) is not None:
            problems.append("the PodDisruptionBudget of revision 2 is still there")
        if _marked(world, SCRATCH):
            problems.append("a pod of revision 2 is still there")
    return problems


@contextmanager
def _scratch(world: World) -> Iterator[None]:
    """A namespace of our own with a Secret that opens nothing; what a killed drill left of it goes first."""
    _remove(world)
    try:
        namespace.have(world, namespaces.restricted(world, SCRATCH))
        key = secrets.token_urlsafe(SHORTEST)
        conceal(key)
        nowhere = "postgresql://nobody@127.0.0.1:1/none"
        world.api.apply(opaque(SECRET, SCRATCH, {"mcp-database-url": nowhere, "mcp-signing-key": key}))
        yield
    finally:
        _remove(world)


def _remove(world: World) -> None:
    there = world.api.get("Namespace", SCRATCH)
    if there is None:
        return
    if foreign := namespace_problem(world.settings, there):
        raise Unmeasurable(foreign, wanted="a namespace of ours, or none of that name")
    if "deletionTimestamp" not in there["metadata"]:
        world.helm.uninstall(world.settings.release, SCRATCH)
        world.api.delete("Namespace", SCRATCH, uid=str(there["metadata"]["uid"]))
    rollout.gone(world, [SCRATCH], timeout=READY)


def _install(world: World, *, replicas: int, mark: str = "") -> None:
    """The MCP server alone, which starts without a database and is ready."""
    chart = chart_of(world)
    overrides: dict[str, Any] = {
        "global": {"imageTag": world.settings.tag},
        "frontend": {"enabled": False},
        "backend": {"enabled": False},
        MCP_SERVER.name: {"replicaCount": replicas, "podAnnotations": {MARK: mark} if mark else {}},
    }
    world.progress(f"helm upgrade --install {world.settings.release} in {SCRATCH}")
    values = Values((chart / DEVELOPMENT,), overrides)
    world.helm.upgrade(world.settings.release, chart, SCRATCH, values=values, timeout=READY)
    _settle(world)


def _settle(world: World) -> None:
    labels = f"app.kubernetes.io/name={MCP_SERVER.name}"
    rollout.settle(world, SCRATCH, labels=labels, names=[MCP_SERVER.name], timeout=READY)
