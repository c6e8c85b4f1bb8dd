"""Tasks of one user in PostgreSQL. Every statement filters by the user."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4, uuid5

import asyncpg
from pydantic import BaseModel
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from todo_mcp_server.config import Settings
from todo_mcp_server.database_url import driver_arguments

LIST_LIMIT = 100
"""At most so many tasks in one answer; the total is told beside them."""

_COLUMNS = (
    "id, title, description, priority, is_completed, target_completion_date,"
    " created_at, updated_at, completed_at"
)
_TRANSIENT = (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)
_CONNECT_ATTEMPTS = 3


def _passing(error: BaseException) -> bool:
    """Whether another attempt may help in time; a timeout has used up the caller's patience."""
    return isinstance(error, _TRANSIENT) and not isinstance(error, TimeoutError)


class Priority(StrEnum):
    """How urgent a task is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Status(StrEnum):
    """Which tasks to list."""

    ALL = "all"
    PENDING = "pending"
    COMPLETED = "completed"
    OVERDUE = "overdue"


_OF_STATUS = {
    Status.PENDING: "NOT is_completed",
    Status.COMPLETED: "is_completed",
    Status.OVERDUE: "NOT is_completed",
}


class Sort(StrEnum):
    """By what a list is sorted."""

    NEWEST = "newest"
    DUE = "due"
    PRIORITY = "priority"
    TITLE = "title"


_ORDERS = {
    Sort.NEWEST: "created_at DESC, id DESC",
    Sort.DUE: "target_completion_date, id",
    Sort.PRIORITY: "priority, created_at DESC, id DESC",
    Sort.TITLE: "lower(title), id",
}
"""Each has its index; tasks without a due date and of low priority come last."""


@dataclass(frozen=True)
class Filter:
    """Which of a user's tasks are meant; what is None asks nothing."""

    status: Status = Status.ALL
    priority: Priority | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    late_before: datetime | None = None
    """The begin of the person's day: a task is late once the day on which it is due is over."""
    done_from: datetime | None = None
    done_before: datetime | None = None
    text: str | None = None
    """Part of the title or the description, whatever the case."""

    def conditions(self, first: int) -> tuple[str, list[Any]]:
        """SQL to follow a WHERE clause, and its values, which are numbered from `first`."""
        asked = {
            "priority = ${}::task_priority": self.priority and self.priority.value,
            "target_completion_date >= ${}": self.due_from,
            "target_completion_date < ${}": self.due_before,
            "target_completion_date < ${}::timestamptz": self.late_before,
            "completed_at >= ${}": self.done_from,
            "completed_at < ${}": self.done_before,
            "strpos(lower(title || E'\\n' || description), lower(${})) > 0": self.text,
        }
        given = [(condition, value) for condition, value in asked.items() if value is not None]
        parts = [condition.format(place) for place, (condition, _) in enumerate(given, start=first)]
        if self.status in _OF_STATUS:
            parts.append(_OF_STATUS[self.status])
        return "".join(f" AND {part}" for part in parts), [value for _, value in given]


class Task(BaseModel):
    """A task as tools return it; the due date is of the person's own calendar, the other times are UTC."""

    id: UUID
    title: str
    description: str
    priority: Priority
    is_completed: bool
    target_completion_date: datetime | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


class TaskStore:
    """The tasks of all users behind a bounded pool; each method acts for the one user it is given."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", acquire_timeout: float) -> None:
        self._pool = pool
        self._acquire_timeout = acquire_timeout

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator["TaskStore"]:
        """A store whose pool connects on first use, so that the process starts before its database does."""
        way = driver_arguments(
            settings.database_url.get_secret_value(),
            application="todo-mcp-server",
            timeout=settings.database_connect_timeout,
        )
        async with asyncpg.create_pool(
            **way,
            min_size=0,
            max_size=settings.database_pool_size,
            command_timeout=settings.database_command_timeout,
            statement_cache_size=0,  # pooled hosts share server connections between clients
        ) as pool:
            yield cls(pool, settings.database_connect_timeout)

    async def add(
        self,
        user_id: str,
        title: str,
        description: str,
        priority: Priority,
        due: datetime | None,
        key: UUID | None = None,
    ) -> Task:
        """Create a task; with the same `key` again, return the one that was made."""
        task_id = uuid4() if key is None else uuid5(key, user_id)
        rows = await self._rows(
            "INSERT INTO task (id, user_id, title, description, priority, target_completion_date)"
            f" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING RETURNING {_COLUMNS}",
            task_id,
            user_id,
            title,
            description,
            priority.value,
            due,
        ) or await self._rows(f"SELECT {_COLUMNS} FROM task WHERE user_id = $1 AND id = $2", user_id, task_id)
        return Task.model_validate(dict(rows[0]))

    async def find(self, user_id: str, wanted: Filter, sort: Sort = Sort.NEWEST) -> tuple[list[Task], int]:
        """The first tasks up to `LIST_LIMIT`, and how many there are in all."""
        conditions, values = wanted.conditions(first=2)
        rows = await self._rows(
            f"SELECT {_COLUMNS} FROM task WHERE user_id = $1{conditions}"
            f" ORDER BY {_ORDERS[sort]} LIMIT {LIST_LIMIT}",
            user_id,
            *values,
        )
        tasks = [Task.model_validate(dict(row)) for row in rows]
        if len(tasks) < LIST_LIMIT:
            return tasks, len(tasks)
        [counted] = await self._rows(
            f"SELECT count(*) AS total FROM task WHERE user_id = $1{conditions}", user_id, *values
        )
        return tasks, counted["total"]

    async def get(self, user_id: str, task_id: UUID) -> Task | None:
        """A task; None when the user has none such."""
        rows = await self._rows(
            f"SELECT {_COLUMNS} FROM task WHERE user_id = $1 AND id = $2", user_id, task_id
        )
        return Task.model_validate(dict(rows[0])) if rows else None

    async def update(self, user_id: str, task_id: UUID, changes: dict[str, Any]) -> Task | None:
        """Set the given columns; None when the user has no such task."""
        assignments = ", ".join(f"{column} = ${place}" for place, column in enumerate(changes, start=3))
        rows = await self._rows(
            f"UPDATE task SET {assignments} WHERE user_id = $1 AND id = $2 RETURNING {_COLUMNS}",
            user_id,
            task_id,
            *changes.values(),
        )
        return Task.model_validate(dict(rows[0])) if rows else None

    async def delete(self, user_id: str, task_id: UUID) -> Task | None:
        """Remove a task and return what it was; None when the user has no such task."""
        rows = await self._rows(
            f"DELETE FROM task WHERE user_id = $1 AND id = $2 RETURNING {_COLUMNS}",
            user_id,
            task_id,
        )
        return Task.model_validate(dict(rows[0])) if rows else None

    async def _rows(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        # Only the connection is tried again: a statement that was sent may have been carried out.
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(_passing),
            stop=stop_after_attempt(_CONNECT_ATTEMPTS),
            wait=wait_exponential(multiplier=0.2, max=2),
            reraise=True,
        ):
            with attempt:
                connection = await self._pool.acquire(timeout=self._acquire_timeout)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await self._pool.release(connection)
