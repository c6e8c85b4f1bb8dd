"""The intents: what a sentence about a todo list can ask for. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Priority = Literal["high", "medium", "low"]
Status = Literal["all", "pending", "completed"]


@dataclass(frozen=True, slots=True)
class Add:
    title: str
    priority: Priority | None = None
    due: date | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """The days in which a task is due, both ends counted; `words` say so in an answer ("due this week")."""

    words: str
    first: date | None = None
    last: date | None = None

    def holds(self, day: date | None) -> bool:
        """Whether the day lies within; a period without ends holds the tasks without a day."""
        if self.first is None and self.last is None:
            return day is None
        if day is None:
            return False
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Show:
    """Which tasks to show. `words`: in title or description; `next_up`: only the most pressing ones."""

    status: Status = "all"
    priority: Priority | None = None
    due: Period | None = None
    words: str = ""
    next_up: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Which task: by position in the list (1 is the first, -1 the last), by id, by title, or all of a kind.

    `it` stands for the task that was spoken of last.
    """

    words: str = ""
    position: int | None = None
    id: str = ""
    every: Show | None = None
    it: bool = False

    def __str__(self) -> str:
        if self.every is not None:
            return "those"
        if self.position == -1:
            return "the last task"
        if self.position is not None:
            return f"task {self.position}"
        return "it" if self.it else f'"{self.words or self.id}"'


@dataclass(frozen=True, slots=True)
class Complete:
    """Complete a task, or open it again."""

    target: Target
    completed: bool = True


@dataclass(frozen=True, slots=True)
class Delete:
    """`confirmed`: the user has said yes to losing several tasks at once."""

    target: Target
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """Only the fields that are set change. `later`: days to put it off; `no_due`: the due day goes."""

    target: Target
    title: str | None = None
    priority: Priority | None = None
    due: date | None = None
    description: str | None = None
    later: int | None = None
    no_due: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """The details of one task."""

    target: Target


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back what the last answer reported."""


@dataclass(frozen=True, slots=True)
class Small:
    """Small talk; answered without a tool."""

    kind: Literal["greeting", "thanks", "help", "wellbeing", "identity", "goodbye", "dropped", "day"]


@dataclass(frozen=True, slots=True)
class Unclear:
    """Not understood. `reason` is set where the sentence was understood but cannot be done."""

    reason: str = ""
    said: str = ""


Targeted = Complete | Delete | Update | Look
Intent = Add | Show | Targeted | Undo | Small | Unclear
