"""The tables that the backend owns. All times carry a zone and are UTC."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Column, DateTime, Enum, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

import todo_backend.auth.tables  # noqa: F401 - the foreign keys to `user` need its table

TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 1000

_NOW = text("now()")
_NEW_ID = text("gen_random_uuid()")


class Priority(StrEnum):
    """How urgent a task is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Role(StrEnum):
    """Who wrote a message."""

    USER = "user"
    ASSISTANT = "assistant"


def _time(*, nullable: bool = False) -> Any:
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        nullable=nullable,
        sa_column_kwargs={} if nullable else {"server_default": _NOW},
    )


def _owner() -> Any:
    return Field(sa_column=Column(Text, ForeignKey("user.id", ondelete="CASCADE"), nullable=False))


def _id() -> Any:
    return Field(default_factory=uuid4, primary_key=True, sa_column_kwargs={"server_default": _NEW_ID})


class Task(SQLModel, table=True):
    """A task of one user. Triggers keep `updated_at` and `completed_at`, whoever writes."""

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint("length(btrim(title)) > 0", name="task_title_not_blank"),
        # One index for each order of the list; the id gives equal tasks their place.
        Index("ix_task_newest", "user_id", "created_at", "id"),
        Index("ix_task_status_newest", "user_id", "is_completed", "created_at", "id"),
        Index("ix_task_due_first", "user_id", "target_completion_date", "id"),
        Index("ix_task_due_last", "user_id", text("target_completion_date DESC NULLS LAST"), text("id DESC")),
        Index("ix_task_priority", "user_id", "priority", text("created_at DESC"), text("id DESC")),
        Index("ix_task_title", "user_id", text("lower(title)"), "id"),
    )

    id: UUID = _id()
    user_id: str = _owner()
    title: str = Field(sa_type=String(TITLE_LENGTH))
    description: str = Field(
        default="",
        sa_type=String(DESCRIPTION_LENGTH),
        sa_column_kwargs={"server_default": ""},
    )
    priority: Priority = Field(
        default=Priority.MEDIUM,
        sa_column=Column(
            Enum(Priority, name="task_priority", values_callable=lambda kind: [item.value for item in kind]),
            nullable=False,
            server_default=Priority.MEDIUM.value,
        ),
    )
    is_completed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    target_completion_date: datetime | None = _time(nullable=True)
    created_at: datetime = _time()
    updated_at: datetime = _time()
    completed_at: datetime | None = _time(nullable=True)


class Conversation(SQLModel, table=True):
    """A chat of one user; `updated_at` is the time of the last message or renaming."""

    __tablename__ = "conversation"
    __table_args__ = (Index("ix_conversation_user_id_updated_at", "user_id", text("updated_at DESC")),)

    id: UUID = _id()
    user_id: str = _owner()
    title: str | None = Field(default=None, sa_type=String(TITLE_LENGTH))
    created_at: datetime = _time()
    updated_at: datetime = _time()


class Message(SQLModel, table=True):
    """One message of a conversation; `tool_calls` is the assistant's list of tool, arguments and result."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'assistant')", name="message_role_known"),
        CheckConstraint("content <> ''", name="message_content_not_empty"),
        CheckConstraint("tool_calls IS NULL OR role = 'assistant'", name="message_tool_calls_of_assistant"),
        Index("ix_message_conversation_id_created_at", "conversation_id", "created_at"),
    )

    id: UUID = _id()
    conversation_id: UUID = Field(
        sa_column=Column(ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False)
    )
    user_id: str = _owner()
    role: str = Field(sa_type=String(20))
    content: str = Field(sa_type=Text)
    tool_calls: list[dict[str, Any]] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    created_at: datetime = _time()


class RateLimit(SQLModel, table=True):
    """How often something was done within a time that ends; the functions of migration 0003 count here."""

    __tablename__ = "rate_limit"
    __table_args__ = (Index("ix_rate_limit_ends_at", "ends_at"),)

    key: str = Field(sa_type=Text, primary_key=True)
    used: int
    ends_at: datetime = Field(sa_type=DateTime(timezone=True))


class ChatKey(SQLModel, table=True):
    """A message that came with an Idempotency-Key: who answers it, what its tools began, and the answer."""

    __tablename__ = "chat_key"
    __table_args__ = (
        Index("ix_chat_key_created_at", "created_at"),
        Index("ix_chat_key_answer_id", "answer_id"),
    )

    user_id: str = Field(
        sa_column=Column(Text, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, nullable=False)
    )
    key: UUID = Field(primary_key=True)
    message: str = Field(sa_type=Text)
    """A digest of the text: the same key with another text is refused."""
    owner: UUID
    """Of the one attempt that may go on with it."""
    tools: list[str] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'"))
    )
    """Those that were begun, in order: from the first on nobody else may carry the message out."""
    answer_id: UUID | None = Field(
        default=None, sa_column=Column(ForeignKey("message.id", ondelete="SET NULL"), nullable=True)
    )
    answered: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    turn_ends_at: datetime = Field(sa_type=DateTime(timezone=True))
    """When its owner has given up at the latest, if the process is still there."""
    created_at: datetime = _time()
