"""A release of its own, in a namespace of its own, taken to revision 2 and back to its first one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runbook.actions.cluster import namespace, rollout
from runbook.app import blueprint, namespaces
from runbook.app.application import MCP_SERVER, SECRET
from runbook.app.drift import differences
from runbook.app.secrets.secret_data import opaque
from runbook.app.secrets.secret_values import SHORTEST
from runbook.clients.helm import Values
from runbook.clients.kube.releases import Revision, newest
from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import conceal
from runbook.ownership.installation import namespace_problem
from runbook.probes.upgrading import MARK, marked

if TYPE_CHECKING:
    from runbook.world import World

SCRATCH = "todo-drill"
READY = 120.0
"""Seconds for the one pod of the scratch release; and for its namespace to go."""

BUDGET = ("PodDisruptionBudget", MCP_SERVER.name)
"""What revision 2 of the scratch release has and revision 1 has not."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is there after a revision was rolled out."""

    revision: Revision | None
    budget: bool
    marked: bool
    """A pod carries the annotation of revision 2."""


@dataclass(frozen=True, slots=True)
class Returned:
    first: Sight
    second: Sight
    last: Sight | None
    """None where Helm did not make revisions 1 and 2."""
    differences: tuple[str, ...]
    """Between the live objects at the end and the manifest of revision 1."""


def roll_back(world: World) -> Returned:
    """Install, upgrade, roll back to revision 1, and remove all of it. Raises `Unmeasurable` in a foreign namespace."""
    name = world.settings.release
    with _scratch(world):
        _install(world, replicas=1)
        first = _look(world)
        _install(world, replicas=2, mark=secrets.token_hex(4))
        second = _look(world)
        if [each.revision.revision for each in (first, second) if each.revision] != [1, 2]:
            return Returned(first, second, None, ())
        world.progress(f"helm rollback {name} 1 in {SCRATCH}")
        world.helm.rollback(name, 1, SCRATCH)
        _settle(world)
        changed = differences(world.api, first.revision.manifest(), SCRATCH) if first.revision else []
        return Returned(first, second, _look(world), tuple(changed))


def _look(world: World) -> Sight:
    return Sight(
        newest(world.api, world.settings.release, SCRATCH),
        world.api.get(*BUDGET, SCRATCH) is not None,
        marked(world, SCRATCH),
    )


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
    chart = blueprint.chart_of(world)
    overrides: dict[str, Any] = {
        "global": {"imageTag": world.settings.tag},
        "frontend": {"enabled": False},
        "backend": {"enabled": False},
        MCP_SERVER.name: {"replicaCount": replicas, "podAnnotations": {MARK: mark} if mark else {}},
    }
    world.progress(f"helm upgrade --install {world.settings.release} in {SCRATCH}")
    values = Values((chart / blueprint.DEVELOPMENT,), overrides)
    world.helm.upgrade(world.settings.release, chart, SCRATCH, values=values, timeout=READY)
    _settle(world)


def _settle(world: World) -> None:
    labels = f"app.kubernetes.io/name={MCP_SERVER.name}"
    rollout.settle(world, SCRATCH, labels=labels, names=[MCP_SERVER.name], timeout=READY)
