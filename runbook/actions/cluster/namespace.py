"""The namespaces of the application and its stand-ins, made before any release so that their labels are ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.actions.ownership import refuse_namespace
from runbook.app.namespaces import problem_of, wanted
from runbook.engine.errors import RunbookError
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.world import World


def ensure(world: World) -> None:
    """Make or correct the namespaces. Raises `Foreign`, before the first write, where one of them is not ours."""
    each_wanted = wanted(world)
    refuse_foreign(world)
    for each in each_wanted:
        have(world, each)


def refuse_foreign(world: World) -> None:
    """Raise `Foreign` where a namespace that the settings call for is somebody else's."""
    for each in wanted(world):
        refuse_namespace(world, world.api.get("Namespace", each["metadata"]["name"]))


def have(world: World, each: Mapping[str, Any]) -> None:
    """One namespace with its labels and our id.

    Raises `Foreign` where one of that name is not ours, `RunbookError` where it is being deleted.
    """
    name = each["metadata"]["name"]
    there = world.api.get("Namespace", name)
    if there is not None and "deletionTimestamp" in there["metadata"]:
        raise RunbookError(
            f"namespace {name} is being deleted",
            wanted="a namespace that can be used",
            hint=f"kubectl wait --for=delete namespace/{name} --timeout=120s",
        )
    refuse_namespace(world, there)
    if there is not None and not problem_of(world, each, there):
        return
    each["metadata"]["labels"] |= installation.labels(
        world.settings
    )  # an apply takes away what it leaves out
    if there is None:
        world.api.create(each)  # refused where somebody else was quicker
    else:
        world.api.apply(each)
