"""What the chat routes take and give."""

from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from todo_backend.models import Role
from todo_backend.text import MessageText, Title


class ChatRequest(BaseModel):
    """A message to the assistant, in an existing conversation or a new one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"message": "Add buy milk, due tomorrow"}]})

    message: MessageText
    conversation_id: UUID | None = None


_ANSWER: dict[str, JsonValue] = {
    "conversation_id": "3f0c2f6e-6a1e-4b43-9a52-0b6f1f0a7c11",
    "response": "Added “Buy milk”, due tomorrow.",
    "tool_calls": [
        {"tool": "add_task", "arguments": {"title": "Buy milk"}, "result": {"success": True, "task": {}}}
    ],
    "model": "gpt-4.1-mini",
}


class ToolCall(BaseModel):
    """A tool that the assistant used."""

    tool: str = Field(examples=["add_task"])
    arguments: dict[str, Any]
    result: Any
    """The tool's structured result; on failure an object with `error`."""


class ChatAnswer(BaseModel):
    """The assistant's answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ANSWER]})

    conversation_id: UUID
    response: str
    tool_calls: list[ToolCall]
    model: str
    """The model that answered, so that a page can say when it is the offline one."""


class ConversationOut(BaseModel):
    """A conversation."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class ConversationSummary(ConversationOut):
    """A conversation with the beginning of its last message."""

    preview: str | None


class ConversationList(BaseModel):
    """A page of conversations, latest activity first; `total` counts all."""

    conversations: list[ConversationSummary]
    total: int


class MessageOut(BaseModel):
    """A message."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    role: Role
    content: str
    created_at: AwareDatetime
    tool_calls: list[ToolCall] | None


class ConversationDetail(ConversationOut):
    """A conversation with a page of its messages, oldest first; `total` counts all."""

    messages: list[MessageOut]
    total: int


class Rename(BaseModel):
    """A new title for a conversation."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Groceries"}]})

    title: Title
