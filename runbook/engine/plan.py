"""Which steps a run walks: those asked for and all that they need, in the order of the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runbook.engine.step import Step


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order of the list; since needs point to lower numbers, that order is a valid one."""

    steps: tuple[Step, ...]
    asked: frozenset[str]
    """The ids that were asked for; the others are there because one of these needs them."""
    off: Mapping[str, str] = field(default_factory=dict)
    """Steps that are left out because nobody has turned them on, each with the command that does."""

    _ids: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", frozenset(step.id for step in self.steps))

    def __contains__(self, step_id: str) -> bool:
        return step_id in self._ids


def plan(asked: Iterable[str], catalogue: Sequence[Step]) -> Plan:
    """The steps with the asked ids and, in turn, everything that they need.

    Of an asked step about a template the deployed object is asked as well, so what that waits for is included. A step
    with an apply of its own can be asked for that alone (`inv cluster.load`): its second half stays pending then.
    """
    wanted = frozenset(asked)
    included = set(wanted)
    included |= {step.live_after for step in catalogue if step.id in wanted and step.live and not step.apply}
    for step in reversed(catalogue):  # needs are lower-numbered: one pass downwards finds them all
        if step.id in included:
            included.update(step.needs)
    return Plan(tuple(step for step in catalogue if step.id in included), wanted)


def heights(steps: Sequence[Step]) -> dict[str, int]:
    """For each step the length of the longest row of steps that wait for it, one after another."""
    found = {step.id: 0 for step in steps}
    for step in reversed(steps):
        for need in step.needs:
            if need in found:
                found[need] = max(found[need], found[step.id] + 1)
    return found
