"""The intents: what a sentence about a todo list can ask for. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Priority = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Add:
    title: str
    priority: Priority | None = None
    due: date | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Show:
    """`due` narrows to tasks overdue, due today or tomorrow, or within seven days."""

    status: Literal["all", "pending", "completed"] = "all"
    priority: Priority | None = None
    due: Literal["overdue", "today", "tomorrow", "week"] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Which task: by position in the list (1 is the first, -1 the last), by id, or by words of its title."""

    words: str = ""
    position: int | None = None
    id: str = ""

    def __str__(self) -> str:
        if self.position == -1:
            return "the last task"
        return f"task {self.position}" if self.position is not None else f'"{self.words or self.id}"'


@dataclass(frozen=True, slots=True)
class Complete:
    target: Target


@dataclass(frozen=True, slots=True)
class Delete:
    target: Target


@dataclass(frozen=True, slots=True)
class Update:
    """Only the fields that are not None change."""

    target: Target
    title: str | None = None
    priority: Priority | None = None
    due: date | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Small:
    """Small talk; answered without a tool."""

    kind: Literal["greeting", "thanks", "help"]


@dataclass(frozen=True, slots=True)
class Unclear:
    """Not understood. `reason` is set where the sentence was understood but cannot be done."""

    reason: str = ""


Targeted = Complete | Delete | Update
Intent = Add | Show | Targeted | Small | Unclear
