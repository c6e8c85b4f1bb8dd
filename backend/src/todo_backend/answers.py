"""How errors look in the OpenAPI description: one body for all, by status."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """What went wrong, in words for people."""

    detail: str = Field(examples=["There is no such task."])


class ChatProblem(Problem):
    """Why there is no answer; `conversation_id` says where the message is saved, if it is."""

    conversation_id: UUID | None = None


class FieldProblem(BaseModel):
    """One thing that is wrong with the request, and where."""

    loc: list[str | int] = Field(examples=[["body", "title"]])
    msg: str = Field(examples=["String should have at least 1 character"])
    type: str = Field(examples=["string_too_short"])


class InvalidRequest(BaseModel):
    """What is wrong with the request, place by place."""

    detail: list[FieldProblem] | str


Answers = dict[int | str, dict[str, Any]]

_RETRY_AFTER = {
    "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
}


def _problem(description: str, *, waits: bool = False, model: type[BaseModel] = Problem) -> dict[str, Any]:
    return {"model": model, "description": description} | ({"headers": _RETRY_AFTER} if waits else {})


SIGNED_IN: Answers = {
    400: _problem("the body cannot be read"),
    401: _problem("not signed in"),
    403: _problem("the path names another user"),
    413: _problem("the body is too large"),
    422: _problem("the request is not as described", model=InvalidRequest),
    429: _problem("too many requests", waits=True),
    500: _problem("a fault of the service"),
    503: _problem("the database does not answer", waits=True),
}
"""Of every route under `/api`."""

NOT_FOUND: Answers = {404: _problem("there is none such, or it is another user's")}

CHAT: Answers = {
    403: _problem("the path names another user, or the message is not about tasks", model=ChatProblem),
    404: _problem("there is no such conversation"),
    409: _problem("this message is being answered already", waits=True),
    429: _problem("too many requests, here or at the model", waits=True, model=ChatProblem),
    500: _problem("the assistant failed", model=ChatProblem),
    502: _problem("the model refuses the service", model=ChatProblem),
    503: _problem("the model, the task tools or the database do not answer", waits=True, model=ChatProblem),
}
