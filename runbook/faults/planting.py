"""Planting faults: a change of the live world that is undone exactly, whatever is found meanwhile.

What an object was is written down in the cluster before the object is changed, so that the next run undoes what a
killed one left (see `runbook.faults.sweeping`).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from runbook.clients.kube.kinds import full_name
from runbook.clients.kube.transport import Refused
from runbook.clients.process.ending import undisturbed
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.waiting import NotYet, eventually
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.world import World

Object = tuple[str, str, str]
"""Kind, name, namespace ("" for objects of the cluster)."""

NOTE = "todo.runbook/planted-note"
"""The label of what an object was before a fault was planted in it."""
CONTENT = "note"
BY_NAME = "Mutant"
"""In the place of a kind: a fault that only its own `undo` takes back, by group/name."""

MARK = "todo.runbook/planted"
"""The label of everything that is made for a fault, so that what a killed run left is found."""

RESTORED = 30.0
"""Seconds that restoring one object may take, the API's restarts included."""

REPLACEABLE = frozenset({"Secret", "ConfigMap"})
"""Kinds of which another one in its place is as good."""

OWN_FIELDS = ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields")
"""What the API server writes into metadata by itself."""


@dataclass
class Hands:
    """Changes objects of the pinned cluster; any other is refused by the API client."""

    world: World
    kept: dict[str, Any] = field(default_factory=dict)
    notes: Notes | None = None
    """Where originals are written down; none while things are being restored."""

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
        self._note(thing)
        self.world.api.patch(kind, name, namespace or None, operations)

    def create(self, manifest: Mapping[str, Any]) -> None:
        """A new object, marked as planted; it is removed by `remove`."""
        metadata = dict(manifest["metadata"])
        ours = installation.labels(self.world.settings)
        metadata["labels"] = {**(metadata.get("labels") or {}), MARK: "true", **ours}
        if self.notes is not None:
            self.notes.write(
                (full_name(manifest), str(metadata["name"]), str(metadata.get("namespace", ""))), None
            )
        self.world.api.create({**manifest, "metadata": metadata})

    def remove(self, thing: Object) -> None:
        """At once, without waiting for a pod's processes to end."""
        kind, name, namespace = thing
        self._note(thing)
        self.world.api.delete(kind, name, namespace or None, grace=0)

    def _note(self, thing: Object) -> None:
        """What it is before its first change."""
        if self.notes is not None and thing not in self.notes.written:
            kind, name, namespace = thing
            self.notes.write(thing, self.world.api.get(kind, name, namespace or None))

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
                if refusal.code == HTTPStatus.UNPROCESSABLE_ENTITY and kind in REPLACEABLE:
                    self.world.api.delete(
                        kind, name, namespace or None, grace=0
                    )  # such as one made immutable
                elif refusal.code != HTTPStatus.CONFLICT:
                    raise
                raise NotYet(refusal.observed) from None

        eventually(put, timeout=RESTORED, every=0.05, wanted=f"{kind} {name} as it was", hint="inv deploy")


T = TypeVar("T", bound=Hands)


@contextmanager
def planted(
    hands: T,
    plant: Callable[[T], None],
    *,
    objects: Sequence[Object] = (),
    undo: Callable[[T], None] | None = None,
    name: str = "",
) -> Iterator[T]:
    """Plant, hand over, and restore; also when planting itself stops half-way, and whoever interrupts.

    `objects` are restored from what they were; `undo` does what that cannot. `name` (group/mutant) leads a later run to
    the `undo` of one that was killed.
    """
    originals = {thing: hands.read(thing) for thing in objects}
    notes = Notes(hands.world)
    if name and undo is not None:
        notes.write((BY_NAME, name, ""), None)
    for thing, original in originals.items():
        notes.write(thing, original)
    hands.notes = notes
    try:
        plant(hands)
        yield hands
    finally:
        hands.notes = None
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
            notes.remove()


class Notes:
    """What objects were before they were changed: one Secret for each, which carries this installation's id."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.written: dict[Object, str] = {}

    def write(self, thing: Object, original: Mapping[str, Any] | None) -> None:
        """None: it is made for the fault, and goes. One that a killed run wrote stays: it knows the true original."""
        content = json.dumps({"thing": list(thing), "original": original})
        digest = hashlib.sha256("\0".join(thing).encode()).hexdigest()[:16]
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": f"planted-{digest}",
                "namespace": self.world.settings.namespace,
                "labels": {NOTE: "true", **installation.labels(self.world.settings)},
            },
            "data": {CONTENT: base64.b64encode(gzip.compress(content.encode())).decode()},
        }
        try:
            self.world.api.create(manifest)
        except Refused as refusal:
            if refusal.code != HTTPStatus.CONFLICT:
                raise
        self.written[thing] = f"planted-{digest}"

    def remove(self) -> None:
        for name in self.written.values():
            self.world.api.delete("Secret", name, self.world.settings.namespace, grace=0)
        self.written.clear()


def sweep(world: World, kinds: Sequence[str]) -> list[str]:
    """Remove what a killed run of this installation left planted, of these kinds; says what it was."""
    found = []
    for kind in kinds:
        for each in world.api.list(kind, labels=MARK):
            metadata = each["metadata"]
            if not installation.owns(world.settings, each):
                continue
            with suppress(Refused):
                world.api.delete(kind, metadata["name"], metadata.get("namespace"), grace=0)
            found.append(f"{kind} {metadata['name']}")
    return found
