"""Mutants: faults planted in the live cluster, each of which must turn exactly its steps red.

A check that no fault turns red proves nothing. A group is a list of mutants and the steps that are watched meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from runbook.engine.errors import UsageError
from runbook.engine.settings import Settings
from runbook.faults.planting import Hands, Object

if TYPE_CHECKING:
    from runbook.engine.journal import Journal
    from runbook.faults.trial import Verdict
    from runbook.world import World


@dataclass(frozen=True, slots=True)
class Mutant:
    """`plant` changes the live world; `objects` are restored from what they were, `undo` does what that cannot."""

    name: str
    reds: frozenset[str]
    """The steps that must turn red; none for a control, which changes something harmless."""
    plant: Callable[[Hands], None]
    objects: tuple[Object, ...] = ()
    undo: Callable[[Hands], None] | None = None
    patience: float = 20.0
    """Seconds within which the fault must show."""
    settles: float = 5.0
    """Seconds within which the other steps are green while it is there: the API server learns of some changes late."""
    cause: str = ""
    """A pattern that the words of each red step must match, so that it is red for this fault."""
    unproven: frozenset[str] = frozenset()
    """Steps that cannot be measured meanwhile: they may not be green, nor red."""
    meanwhile: Callable[[Hands], str] | None = None
    """What must hold while the fault is there, beside the steps; says what was seen, raises `RunbookError` where it
    does not hold."""
    elsewhere: Callable[[World], AbstractContextManager[World]] | None = None
    """Of a fault in a copy: the world that asks it, which is gone afterwards. `plant` changes nothing then."""


@dataclass(frozen=True, slots=True)
class Group:
    """Mutants, and the steps of which each turns some red and no others."""

    name: str
    steps: tuple[str, ...]
    mutants: tuple[Mutant, ...]
    makes: tuple[str, ...] = ()
    """Kinds of objects that are created for a fault: what a killed run left of them is removed first."""
    run: Callable[[World, Group, Journal], Iterator[Verdict]] | None = None
    """How they are tried, where asking the steps again and again would take too long."""
    files: tuple[str, ...] = ()
    """The steps that ask files, programs or images, and so are watched where a fault is in a copy."""


GROUPS = {
    name: f"{__name__}.groups.{name}"
    for name in (
        "automation",
        "claims",
        "dapr",
        "database",
        "deployment",
        "drills",
        "foundation",
        "network",
        "package",
        "security",
        "setup",
        "sidecars",
    )
}
"""Name -> module, whose `group` makes it for the settings."""


def group(name: str, settings: Settings) -> Group:
    """The group of that name. Raises UsageError for an unknown one."""
    if name not in GROUPS:
        raise UsageError(
            f"there are no mutants named {name!r}",
            wanted=f"one of {', '.join(sorted(GROUPS))}",
            hint=f"inv verify.mutants {min(GROUPS)}",
        )
    found: Group = import_module(GROUPS[name]).group(settings)
    return found


SHOWN = 5
"""Mutants that a refusal names."""


def _names(chosen: Group, word: str) -> str:
    known = [each.name for each in chosen.mutants]
    near = get_close_matches(word, known, n=SHOWN, cutoff=0.4) or known[:SHOWN]
    more = f" and {len(known) - len(near)} more" if len(known) > len(near) else ""
    return f"a part of a name, such as: {'; '.join(near)}{more}"


def only(chosen: Group, names: Sequence[str]) -> Group:
    """The group with those mutants whose names contain one of the words."""
    mutants = tuple(each for each in chosen.mutants if not names or any(word in each.name for word in names))
    if not mutants:
        raise UsageError(
            f"no mutant of {chosen.name} is named like {' or '.join(names)}",
            wanted=_names(chosen, names[0]),
            hint=f"inv verify.mutants {chosen.name}",
        )
    return replace(chosen, mutants=mutants)
