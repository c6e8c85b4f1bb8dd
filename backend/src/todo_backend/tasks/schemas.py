"""What the task routes take and give."""

from datetime import MAXYEAR, UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from todo_backend.models import Priority
from todo_backend.tasks.listing import Counts
from todo_backend.text import Description, Title

_FIRST_YEAR = 1900
"""The database takes year 1, and its driver returns it without a zone; nobody needs such dates."""


def _in_utc(due: datetime) -> datetime:
    try:
        in_utc = due.replace(tzinfo=UTC) if due.tzinfo is None else due.astimezone(UTC)
    except OverflowError:
        in_utc = None
    if in_utc is None or in_utc.year < _FIRST_YEAR:
        raise ValueError(f"must lie within the years {_FIRST_YEAR} to {MAXYEAR} in UTC")
    return in_utc


DueDate = Annotated[datetime, AfterValidator(_in_utc)]
"""A time without a zone is UTC."""


class NewTask(BaseModel):
    """A task to create."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Buy milk", "priority": "high", "description": "2 litres"}]}
    )

    title: Title
    description: Description = ""
    priority: Priority = Priority.MEDIUM
    target_completion_date: DueDate | None = None


class TaskChanges(BaseModel):
    """Fields to change; an absent one stays, and null removes the due date."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"priority": "low"}]})

    title: Title = ""
    description: Description = ""
    priority: Priority = Priority.MEDIUM
    target_completion_date: DueDate | None = None

    @model_validator(mode="after")
    def _something(self) -> "TaskChanges":
        if not self.model_fields_set:
            raise ValueError("say at least one field to change")
        return self


class TaskOut(BaseModel):
    """A task."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: str
    title: str
    description: str
    priority: Priority
    is_completed: bool
    target_completion_date: AwareDatetime | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    completed_at: AwareDatetime | None


class TaskList(Counts):
    """A page of a user's tasks. The first three numbers count all tasks, whatever the filter."""

    tasks: list[TaskOut]


class TaskDeleted(BaseModel):
    """What was deleted."""

    message: str = Field(examples=["Task deleted"])
    id: UUID
