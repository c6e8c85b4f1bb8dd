"""Planting faults: a change of the live world that is undone exactly, whatever is found meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from runbook.clients.kube.transport import Refused
from runbook.clients.process.ending import undisturbed
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.waiting import NotYet, eventually

if TYPE_CHECKING:
    from runbook.world import World

Object = tuple[str, str, str]
"""Kind, name, namespace ("" for objects of the cluster)."""

MARK = "todo.runbook/planted"
"""The label of everything that is made for a fault, so that what a killed run left is found."""

RESTORED = 30.0
"""Seconds that restoring one object may take, the API's restarts included."""

OWN_FIELDS = ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields")
"""What the API server writes into metadata by itself."""


@dataclass
class Hands:
    """Changes objects of the pinned cluster; any other is refused by the API client."""

    world: World
    kept: dict[str, Any] = field(default_factory=dict)

    def read(self, thing: Object) -> dict[str, Any]:
        """Raises `Unmeasurable` where it is not there: then there is nothing to be restored either."""
        kind, name, namespace = thing
        found = self.world.api.get(kind, name, namespace or None)
        if found is None:
            raise Unmeasurable(
                f"there is no {kind} {name} to plant a fault in", wanted="the deployed application"
            )
        return found

    def patch(self, thing: Object, *operations: Mapping[str, Any]) -> None:
        """Operations of a JSON patch."""
        kind, name, namespace = thing
        self.world.api.patch(kind, name, namespace or None, operations)

    def create(self, manifest: Mapping[str, Any]) -> None:
        """A new object, marked as planted; it is removed by `remove`."""
        metadata = dict(manifest["metadata"])
        metadata["labels"] = {**(metadata.get("labels") or {}), MARK: "true"}
        self.world.api.create({**manifest, "metadata": metadata})

    def remove(self, thing: Object) -> None:
        """At once, without waiting for a pod's processes to end."""
        kind, name, namespace = thing
        self.world.api.delete(kind, name, namespace or None, grace=0)

    def restore(self, thing: Object, original: Mapping[str, Any]) -> None:
        """Make the object's wanted state what it was; re-create it where it was deleted.

        A controller may change the object at the same time: then its newest version is read again.
        """
        kind, name, namespace = thing
        wanted = {key: value for key, value in original.items() if key != "status"}
        wanted["metadata"] = {
            key: value for key, value in original["metadata"].items() if key not in OWN_FIELDS
        }

        def put() -> None:
            there = self.world.api.get(kind, name, namespace or None)
            if there is None:
                self.world.api.create(wanted)
                return
            wanted["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
            try:
                self.world.api.replace(wanted)
            except Refused as refusal:
                if refusal.code == HTTPStatus.CONFLICT:
                    raise NotYet(refusal.observed) from None
                raise

        eventually(put, timeout=RESTORED, every=0.05, wanted=f"{kind} {name} as it was", hint="inv deploy")


T = TypeVar("T", bound=Hands)


@contextmanager
def planted(
    hands: T,
    plant: Callable[[T], None],
    *,
    objects: Sequence[Object] = (),
    undo: Callable[[T], None] | None = None,
) -> Iterator[T]:
    """Plant, hand over, and restore; also when planting itself stops half-way, and whoever interrupts.

    `objects` are restored from what they were; `undo` does what that cannot.
    """
    originals = {thing: hands.read(thing) for thing in objects}
    try:
        plant(hands)
        yield hands
    finally:
        with undisturbed():
            problems = []
            for thing, original in originals.items():
                try:
                    hands.restore(thing, original)
                except RunbookError as problem:
                    problems.append(problem)
            if undo is not None:
                undo(hands)
            if problems:
                raise problems[0]


def sweep(world: World, kinds: Sequence[str]) -> list[str]:
    """Remove what a killed run left planted, of these kinds; says what it was."""
    found = []
    for kind in kinds:
        for each in world.api.list(kind, labels=MARK):
            metadata = each["metadata"]
            with suppress(Refused):
                world.api.delete(kind, metadata["name"], metadata.get("namespace"), grace=0)
            found.append(f"{kind} {metadata['name']}")
    return found
