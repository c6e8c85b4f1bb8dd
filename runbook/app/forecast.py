"""What a deploy would write of its releases: objects created, changed and deleted, found out without writing.

Helm changes an object where the new manifest differs from the last one, or from what is there; so does this. Whether
the server would admit it is asked by a dry run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runbook.app import blueprint
from runbook.app.drift import differences
from runbook.app.release_state import is_current
from runbook.clients.kube import workloads
from runbook.clients.kube.kinds import full_name
from runbook.clients.kube.releases import newest

if TYPE_CHECKING:
    from runbook.app.blueprint import Blueprint
    from runbook.world import World

Object = Mapping[str, Any]
CREATE, CHANGE, DELETE = "create", "change", "delete"


@dataclass(frozen=True, slots=True)
class Forecast:
    """One write. `why` says what differs, or how the server would refuse it (`refused`)."""

    verb: str
    kind: str
    name: str
    namespace: str
    why: str = ""
    recreates_pods: bool = False
    refused: bool = False


def of_releases(world: World) -> list[Forecast]:
    """Of the application and its stand-ins. Raises `Unmeasurable` where images or the cluster are not there yet."""
    return [each for wanted in _wanted(world) for each in of_release(world, wanted)]


def of_release(world: World, wanted: Blueprint) -> Iterator[Forecast]:
    """Nothing where the release is the one that its blueprint describes."""
    there = world.api.get("Namespace", wanted.namespace) is not None
    if there and is_current(world, wanted):
        return
    new, _ = world.helm.dry_run(wanted.release, wanted.chart, wanted.namespace, values=wanted.values)
    last = newest(world.api, wanted.release, wanted.namespace) if there else None
    old = {_key(each): each for each in last.manifest()} if last else {}
    for each in new:
        yield from _of_object(world, each, old.pop(_key(each), None), wanted.namespace, there)
    for each in old.values():
        if world.api.get(full_name(each), workloads.name(each), wanted.namespace) is not None:
            yield Forecast(DELETE, str(each["kind"]), workloads.name(each), wanted.namespace)


def drift(world: World) -> dict[str, list[str]]:
    """By release: where live objects differ from what it installed, or that it is not there."""
    found = {}
    for wanted in _wanted(world):
        last = newest(world.api, wanted.release, wanted.namespace)
        found[wanted.release] = (
            differences(world.api, last.manifest(), wanted.namespace, None)
            if last
            else [f"there is no release {wanted.release} in namespace {wanted.namespace}"]
        )
    return found


def _wanted(world: World) -> list[Blueprint]:
    return [*blueprint.stand_ins(world), blueprint.application(world)]


def _of_object(
    world: World, new: Object, old: Object | None, namespace: str, there: bool
) -> Iterator[Forecast]:
    kind, name = str(new["kind"]), workloads.name(new)
    live = world.api.get(full_name(new), name, namespace) if there else None
    if live is None:
        yield Forecast(CREATE, kind, name, namespace)
        return
    found = differences(world.api, [new], namespace, 1)
    if not found and new == old:
        return
    placed = {**new, "metadata": {**new["metadata"], "namespace": namespace}}
    answer = world.api.reviews.applied(placed)
    why = answer.words or (found[0] if found else "the manifest changed")
    yield Forecast(
        CHANGE, kind, name, namespace, why, _template(new) != _template(old or live), not answer.accepted
    )


def _template(thing: Object) -> Any:
    return (thing.get("spec") or {}).get("template")


def _key(thing: Object) -> tuple[str, str]:
    return full_name(thing), workloads.name(thing)
