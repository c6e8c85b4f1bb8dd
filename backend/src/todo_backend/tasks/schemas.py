"""What the task routes take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from todo_backend.day import as_written
from todo_backend.models import Priority
from todo_backend.tasks.listing import Counts
from todo_backend.text import Description, Title

DueDate = Annotated[
    datetime,
    AfterValidator(as_written),
    Field(
        description="A day, 2026-01-31, or a day with a time of the person's own clock, 2026-01-31T17:00."
        " It is kept as written, marked as UTC: a zone that comes along does not move it."
    ),
]
"""Midnight means the day alone."""


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
