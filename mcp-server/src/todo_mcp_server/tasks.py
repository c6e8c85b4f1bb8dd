"""Tasks of one user in PostgreSQL. Every statement filters by the user."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import BaseModel
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from todo_mcp_server.config import Settings

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


class Task(BaseModel):
    """A task as tools return it; times are UTC."""

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
        async with asyncpg.create_pool(
            settings.database_url.get_secret_value(),
            min_size=0,
            max_size=settings.database_pool_size,
            timeout=settings.database_connect_timeout,
            command_timeout=settings.database_command_timeout,
            statement_cache_size=0,  # pooled hosts share server connections between clients
            server_settings={"application_name": "todo-mcp-server"},
        ) as pool:
            yield cls(pool, settings.database_connect_timeout)

    async def add(
        self, user_id: str, title: str, description: str, priority: Priority, due: datetime | None
    ) -> Task:
        """Create a task."""
        [row] = await self._rows(
            "INSERT INTO task (user_id, title, description, priority, target_completion_date)"
            f" VALUES ($1, $2, $3, $4, $5) RETURNING {_COLUMNS}",
            user_id,
            title,
            description,
            priority.value,
            due,
        )
        return Task.model_validate(dict(row))

    async def find(self, user_id: str, status: Status, priority: Priority | None) -> tuple[list[Task], int]:
        """The newest tasks up to `LIST_LIMIT`, and how many there are in all."""
        completed = None if status is Status.ALL else status is Status.COMPLETED
        rows = await self._rows(
            f"SELECT {_COLUMNS}, count(*) OVER () AS total FROM task"
            " WHERE user_id = $1 AND ($2::boolean IS NULL OR is_completed = $2)"
            " AND ($3::text IS NULL OR priority::text = $3)"
            f" ORDER BY created_at DESC, id LIMIT {LIST_LIMIT}",
            user_id,
            completed,
            priority.value if priority else None,
        )
        return [Task.model_validate(dict(row)) for row in rows], rows[0]["total"] if rows else 0

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
