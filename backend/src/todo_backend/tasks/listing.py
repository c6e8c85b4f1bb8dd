"""The list of a user's tasks: filtered, sorted, counted and in pages. Every order has its index."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import ColumnElement, and_, func, not_, or_, true
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from todo_backend.models import TITLE_LENGTH, Priority, Task
from todo_backend.text import without_nul

SearchText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=TITLE_LENGTH),
    AfterValidator(without_nul),
]


class Status(StrEnum):
    """Which tasks are wanted; overdue ones are pending and were due before the person's today."""

    ALL = "all"
    PENDING = "pending"
    COMPLETED = "completed"
    OVERDUE = "overdue"


class Sort(StrEnum):
    """By what the list is sorted."""

    CREATED = "created"
    DUE = "due"
    PRIORITY = "priority"
    TITLE = "title"


class Order(StrEnum):
    """The direction; by priority, desc begins with high."""

    ASC = "asc"
    DESC = "desc"


_USUAL_ORDER = {
    Sort.CREATED: Order.DESC,
    Sort.DUE: Order.ASC,
    Sort.PRIORITY: Order.DESC,
    Sort.TITLE: Order.ASC,
}


class TaskQuery(BaseModel):
    """Which tasks, in which order, and which page of them."""

    model_config = ConfigDict(extra="ignore")

    status: Status = Status.ALL
    priority: Priority | None = None
    search: Annotated[
        SearchText,
        Field(description="Part of the title or the description; case does not matter.", examples=["milk"]),
    ] = ""
    sort: Sort = Sort.CREATED
    order: Annotated[
        Order | None,
        Field(description="By default desc for created and priority (high first), asc for due and title."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 100
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Counts(BaseModel):
    """Numbers of a user's tasks; `matching` are those that the filter lets through."""

    total: int
    completed: int
    pending: int
    matching: int


async def find(
    work: AsyncSession, user_id: str, query: TaskQuery, today: datetime
) -> tuple[list[Task], Counts]:
    """The page of tasks that `query` asks for, and the numbers of all; `today` is `day.begin_of_day`."""
    total, done, matching = (await work.exec(numbers(user_id, query, today))).one()
    found = await work.exec(page(user_id, query, today))
    return list(found), Counts(total=total, completed=done, pending=total - done, matching=matching)


def numbers(user_id: str, query: TaskQuery, today: datetime) -> Select[int, int, int]:
    """The statement that counts the user's tasks: all, completed, and those that `query` lets through."""
    completed = func.count().filter(col(Task.is_completed))
    matching = func.count().filter(_wanted(query, today))
    return select(func.count(), completed, matching).where(Task.user_id == user_id)


def page(user_id: str, query: TaskQuery, today: datetime) -> SelectOfScalar[Task]:
    """The statement for the tasks of one page."""
    return (
        select(Task)
        .where(Task.user_id == user_id, _wanted(query, today))
        .order_by(*_order(query))
        .limit(query.limit)
        .offset(query.offset)
    )


def _wanted(query: TaskQuery, today: datetime) -> ColumnElement[bool]:
    """The filter as one condition; true where nothing is asked."""
    completed, due = col(Task.is_completed), col(Task.target_completion_date)
    conditions: list[ColumnElement[bool]] = []
    match query.status:
        case Status.PENDING:
            conditions.append(not_(completed))
        case Status.COMPLETED:
            conditions.append(completed.is_(True))
        case Status.OVERDUE:
            conditions.append(and_(not_(completed), due < today))
        case Status.ALL:
            pass
    if query.priority is not None:
        conditions.append(col(Task.priority) == query.priority)
    if query.search:
        places = (col(Task.title), col(Task.description))
        conditions.append(or_(*(place.icontains(query.search, autoescape=True) for place in places)))
    return and_(true(), *conditions)


def _order(query: TaskQuery) -> list[ColumnElement[Any]]:
    """Columns that give each task one place, so that pages neither overlap nor miss any."""
    descending = (query.order or _USUAL_ORDER[query.sort]) is Order.DESC
    newest: list[ColumnElement[Any]] = [col(Task.created_at).desc(), col(Task.id).desc()]
    oldest: list[ColumnElement[Any]] = [col(Task.created_at).asc(), col(Task.id).asc()]
    match query.sort:
        case Sort.CREATED:
            return newest if descending else oldest
        case Sort.DUE:  # tasks without a due date come last either way
            due = col(Task.target_completion_date)
            return (
                [due.desc().nulls_last(), col(Task.id).desc()]
                if descending
                else [due.asc().nulls_last(), col(Task.id).asc()]
            )
        case Sort.PRIORITY:  # the type lists high first
            priority = col(Task.priority)
            return [priority.asc(), *newest] if descending else [priority.desc(), *oldest]
        case Sort.TITLE:
            title = func.lower(Task.title)
            return [title.desc(), col(Task.id).desc()] if descending else [title.asc(), col(Task.id).asc()]
