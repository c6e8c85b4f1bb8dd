"""A rule: what has to hold, why, what to do, and the function that looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from runbook.manifests.item import Hit
from runbook.manifests.scene import Scene


class Subject(Protocol):
    """What a rule is asked about: an object, a pod, a container."""

    @property
    def title(self) -> str: ...


S = TypeVar("S", bound=Subject)


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    """`over` finds what it is about, `judge` what of one of these is wrong. The id never changes its meaning."""

    id: str
    title: str
    reason: str
    remedy: str
    over: Callable[[Scene], Sequence[S]]
    judge: Callable[[S], Iterable[Hit]]


AnyRule = Rule[Any]


def rule(
    id_: str, title: str, *, over: Callable[[Scene], Sequence[S]], reason: str, remedy: str
) -> Callable[[Callable[[S], Iterable[Hit]]], Rule[S]]:
    """Makes the function that follows the judge of a rule."""
    return lambda judge: Rule(id_, title, reason, remedy, over, judge)
