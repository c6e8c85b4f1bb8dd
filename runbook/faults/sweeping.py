"""What a killed run left planted is undone by the next one: originals put back, what was made for a fault removed."""

from __future__ import annotations

import base64
import gzip
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runbook import faults
from runbook.clients.kube.kinds import NotServed
from runbook.clients.process.ending import undisturbed
from runbook.engine.errors import RunbookError
from runbook.faults.planting import BY_NAME, CONTENT, NOTE, Hands, Object
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.world import World


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that was planted, and what it was before; None: it was not there."""

    note: dict[str, Any]
    thing: Object
    original: dict[str, Any] | None

    @property
    def words(self) -> str:
        kind, name, namespace = self.thing
        place = f" in namespace {namespace}" if namespace else ""
        return f"the fault {name}" if kind == BY_NAME else f"{kind} {name}{place}"


def left(world: World) -> list[Left]:
    """What runs of this installation left planted, what was made for a fault first; a damaged note is passed over."""
    own = installation.known(world.settings)
    found = []
    for note in world.api.list("Secret", labels=f"{NOTE}=true") if own else []:
        if installation.owner(note) == own:
            with suppress(KeyError, TypeError, ValueError, OSError):
                content = json.loads(gzip.decompress(base64.b64decode(note["data"][CONTENT])))
                kind, name, namespace = content["thing"]
                found.append(Left(note, (kind, name, namespace), content["original"]))
    return sorted(found, key=lambda each: (each.thing[0] == BY_NAME, each.original is not None, each.thing))


def sweep(world: World) -> list[str]:
    """Undo all of it; says what it was. Raises `RunbookError` where something cannot be undone: its note stays."""
    found = left(world)
    if not found:
        return []
    hands, problems = Hands(world), []
    with undisturbed():
        for each in found:
            try:
                _undo(hands, each)
            except NotServed:
                pass  # its definition was removed since, and the object with it
            except RunbookError as problem:
                problems.append(RunbookError(f"{each.words} could not be put back: {problem}"))
                continue
            metadata = each.note["metadata"]
            world.api.delete("Secret", metadata["name"], metadata["namespace"], grace=0)
    if problems:
        raise problems[0]
    return [each.words for each in found]


def _undo(hands: Hands, each: Left) -> None:
    if each.thing[0] == BY_NAME:
        group, _, name = each.thing[1].partition("/")
        for mutant in faults.group(group, hands.world.settings).mutants:
            if mutant.name == name and mutant.undo is not None:
                mutant.undo(hands)
    elif each.original is None:
        hands.remove(each.thing)
    else:
        hands.restore(each.thing, each.original)
