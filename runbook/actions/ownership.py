"""Whose an object is: what this installation made carries its id; all else is refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from runbook.engine.errors import Foreign, RunbookError, UsageError
from runbook.ownership import installation
from runbook.ownership.installation import namespace_problem

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]


def refuse_namespace(world: World, there: Object | None) -> None:
    """Raise `Foreign` for a namespace that we did not make."""
    if problem := namespace_problem(world.settings, there):
        raise Foreign(
            f"{problem}; it was left as it is",
            wanted="a namespace of ours, or none of that name",
            hint=_ways(world, there or {}),
        )


def _ways(world: World, there: Object) -> str:
    """Another name where that is a setting; and how somebody gives what is theirs to this installation."""
    name = str(there["metadata"]["name"])
    ways = ["TODO_NAMESPACE=<another name> inv deploy"] if name == world.settings.namespace else []
    if installation.owner(there):  # what another installation made is not given away from here
        ways.append("another cluster: TODO_CLUSTER_NAME=<another name> inv deploy")
    else:
        mark = f"{installation.LABEL}={installation.identity(world.settings)}"
        kubectl = world.cluster.kubeconfig().kubectl
        ways.append(f"{kubectl} label namespace {name} {mark}  (only if it is yours to give away)")
    return "; or ".join(ways)


def before_writing(world: World, questions: Iterable[Callable[[World], None]]) -> None:
    """Ask the cluster, where one runs already, whether what a command is about to make is somebody else's.

    Raises `Foreign`. A cluster that does not run yet holds nothing; what cannot be asked now, each action asks again.
    """
    try:
        if world.cluster.status().running:
            for ask in questions:
                ask(world)
    except (Foreign, UsageError) as refusal:
        refusal.hint = world.pasteable(refusal.hint)
        raise
    except RunbookError:
        return
