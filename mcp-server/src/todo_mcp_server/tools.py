"""The tools: typed parameters, typed results, and failures that a model can read and explain."""

from collections.abc import Callable
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from starlette.requests import Request

from todo_mcp_server.identity import Caller
from todo_mcp_server.tasks import Filter, Priority, Sort, Status, Task, TaskStore

log = structlog.get_logger(__name__)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


_FIRST_YEAR = 1900
"""The database takes year 1, and its driver returns it without a zone; nobody needs such dates."""


def _as_written[Day: date](due: Day) -> Day:
    """Day and time as they were written: a due date belongs to a calendar and moves with no time zone."""
    if due.year < _FIRST_YEAR or due.year == MAXYEAR:
        raise ValueError(f"must lie within the years {_FIRST_YEAR} to {MAXYEAR - 1}")
    return due.replace(tzinfo=UTC) if isinstance(due, datetime) else due


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_without_nul),
    Field(description="Short text of the task, 1-200 characters."),
]
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=1000),
    AfterValidator(_without_nul),
    Field(description="Further details, at most 1000 characters."),
]
DueDate = Annotated[
    datetime,
    AfterValidator(_as_written),
    Field(
        description="When the task is due, on the person's own calendar: 2026-01-31, or with a time of day"
        " 2026-01-31T17:00. Kept as written; a zone does not move it."
    ),
]
TaskId = Annotated[UUID, Field(description="The task's id, as add_task and list_tasks return it.")]
DueFrom = Annotated[
    datetime, AfterValidator(_as_written), Field(description="Only tasks due on this day or later.")
]
DueBefore = Annotated[
    datetime, AfterValidator(_as_written), Field(description="Only tasks due before this day.")
]
CompletedFrom = Annotated[
    date, AfterValidator(_as_written), Field(description="Only tasks completed on this day or later.")
]
CompletedTo = Annotated[
    date, AfterValidator(_as_written), Field(description="Only tasks completed on this day or before.")
]
SearchText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_without_nul),
    Field(description="Part of the title or the description, 1-200 characters; case does not matter."),
]
ToolContext = Context[TaskStore, Request]


class TaskResult(BaseModel):
    """The task that was created or changed."""

    success: Literal[True] = True
    task: Task


class TaskListResult(BaseModel):
    """The tasks found, at most 100; `total` counts those beyond the end of the list too."""

    success: Literal[True] = True
    tasks: list[Task]
    total: int


class DeletedResult(BaseModel):
    """What was deleted."""

    success: Literal[True] = True
    id: UUID
    title: str


def _caller(context: ToolContext) -> Caller:
    return Caller.of(context.request_context.request)


def _acting(context: ToolContext) -> tuple[TaskStore, str]:
    """The store and the verified user of this very request."""
    return context.request_context.lifespan_context, _caller(context).user_id


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which `day` begins in `zone`."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _late_before(context: ToolContext, status: Status) -> datetime | None:
    """The user's today as due dates are kept, where overdue tasks are wanted."""
    if status is not Status.OVERDUE:
        return None
    return _midnight(datetime.now(_caller(context).zone).date(), ZoneInfo("UTC"))


class _Operation:
    """Names the operation in every failure, and keeps the driver's own words, which quote rows, inside."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> "_Operation":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, asyncpg.ForeignKeyViolationError):
            raise ToolError(f"could not {self._name}: the account no longer exists") from error
        if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | OSError | TimeoutError):
            log.warning("database_error", operation=self._name, exc_info=error)
            raise ToolError(f"could not {self._name}: the task database did not answer, try again") from error

    def found(self, task: Task | None) -> Task:
        """`task`, or the failure that reads the same for an unknown id and for another user's."""
        if task is None:
            raise ToolError(f"could not {self._name}: no task with this id")
        return task


async def add_task(
    context: ToolContext,
    title: Title,
    description: Description | None = None,
    priority: Priority | None = None,
    due_date: DueDate | None = None,
) -> TaskResult:
    """Create a task for the user. Priority is medium unless the user says otherwise."""
    store, user_id = _acting(context)
    with _Operation("create the task"):
        task = await store.add(
            user_id,
            title,
            description or "",
            priority or Priority.MEDIUM,
            due_date,
            key=_caller(context).message_id,
        )
    return TaskResult(task=task)


async def list_tasks(
    context: ToolContext,
    status: Status = Status.ALL,
    priority: Priority | None = None,
    due_from: DueFrom | None = None,
    due_before: DueBefore | None = None,
    sort: Sort = Sort.NEWEST,
    completed_from: CompletedFrom | None = None,
    completed_to: CompletedTo | None = None,
) -> TaskListResult:
    """List the user's tasks, if asked only those of one status, priority or range of days."""
    store, user_id = _acting(context)
    zone = _caller(context).zone
    wanted = Filter(
        status,
        priority,
        due_from,
        due_before,
        late_before=_late_before(context, status),
        done_from=_midnight(completed_from, zone) if completed_from else None,
        done_before=_midnight(completed_to + timedelta(days=1), zone) if completed_to else None,
    )
    with _Operation("list the tasks"):
        tasks, total = await store.find(user_id, wanted, sort)
    return TaskListResult(tasks=tasks, total=total)


async def get_task(context: ToolContext, task_id: TaskId) -> TaskResult:
    """One of the user's tasks with all its details."""
    store, user_id = _acting(context)
    with _Operation("read the task") as operation:
        return TaskResult(task=operation.found(await store.get(user_id, task_id)))


async def search_tasks(
    context: ToolContext, query: SearchText, status: Status = Status.ALL
) -> TaskListResult:
    """Find the user's tasks by words of their title or description, newest first."""
    store, user_id = _acting(context)
    with _Operation("search the tasks"):
        tasks, total = await store.find(
            user_id, Filter(status, late_before=_late_before(context, status), text=query)
        )
    return TaskListResult(tasks=tasks, total=total)


async def update_task(
    context: ToolContext,
    task_id: TaskId,
    title: Title | None = None,
    description: Description | None = None,
    priority: Priority | None = None,
    due_date: DueDate | None = None,
    clear_due_date: Annotated[bool, Field(description="True removes the due date.")] = False,
) -> TaskResult:
    """Change the given fields of one of the user's tasks; fields left out stay as they are."""
    given: dict[str, Any] = {
        "title": title,
        "description": description,
        "priority": priority.value if priority else None,
        "target_completion_date": due_date,
    }
    changes = {column: value for column, value in given.items() if value is not None}
    if clear_due_date:
        if due_date is not None:
            raise ToolError("could not update the task: give either due_date or clear_due_date")
        changes["target_completion_date"] = None
    if not changes:
        raise ToolError("could not update the task: say at least one field to change")
    store, user_id = _acting(context)
    with _Operation("update the task") as operation:
        return TaskResult(task=operation.found(await store.update(user_id, task_id, changes)))


async def complete_task(
    context: ToolContext,
    task_id: TaskId,
    completed: Annotated[bool, Field(description="False reopens a completed task.")] = True,
) -> TaskResult:
    """Mark one of the user's tasks as completed, or reopen it."""
    store, user_id = _acting(context)
    with _Operation("complete the task" if completed else "reopen the task") as operation:
        task = operation.found(await store.update(user_id, task_id, {"is_completed": completed}))
    return TaskResult(task=task)


async def delete_task(context: ToolContext, task_id: TaskId) -> DeletedResult:
    """Delete one of the user's tasks for good."""
    store, user_id = _acting(context)
    with _Operation("delete the task") as operation:
        task = operation.found(await store.delete(user_id, task_id))
    return DeletedResult(id=task.id, title=task.title)


_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
_DELETES = ToolAnnotations(read_only_hint=False, destructive_hint=True, open_world_hint=False)


def register(server: MCPServer[TaskStore]) -> None:
    """Offer the tools on `server`."""
    reads: tuple[Callable[..., Any], ...] = (list_tasks, get_task, search_tasks)
    writes: tuple[Callable[..., Any], ...] = (add_task, update_task, complete_task)
    for tool in reads:
        server.add_tool(tool, annotations=_READS)
    for tool in writes:
        server.add_tool(tool, annotations=_WRITES)
    server.add_tool(delete_task, annotations=_DELETES)
