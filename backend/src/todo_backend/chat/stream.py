"""An exchange as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from todo_backend.chat.exchange import Event
from todo_backend.chat.failures import Failure
from todo_backend.chat.schemas import ChatAnswer, ToolCall

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Nothing between here and the page may keep events back."""

KEEP_ALIVE_SECONDS = 15
_KEEP_ALIVE = ": still working\n\n"

DESCRIPTION = """\
The answer, or with `Accept: text/event-stream` these events: `conversation` {conversation_id, model};
`tool_call` {tool, arguments, result}; `delta` {text}; at the end `done` with the whole answer,
or `error` {status, detail, retry_after}. Comment lines keep the connection alive."""


def wanted(accept: str) -> bool:
    """Whether an Accept header asks for events."""
    return any(part.split(";")[0].strip().lower() == MEDIA_TYPE for part in accept.split(","))


async def server_sent(
    conversation_id: UUID, model: str, events: AsyncIterator[Event], silence: float = KEEP_ALIVE_SECONDS
) -> AsyncIterator[str]:
    """The lines to send; a comment after each `silence` seconds without an event."""
    yield _line("conversation", {"conversation_id": str(conversation_id), "model": model})
    coming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait([coming], timeout=silence)
            if not done:
                yield _KEEP_ALIVE
                continue
            if (event := coming.result()) is None:
                return
            yield _sent(event)
            coming = asyncio.ensure_future(anext(events, None))
    finally:
        coming.cancel()


async def replayed(answer: ChatAnswer) -> AsyncIterator[Event]:
    """A stored answer as the events that it was."""
    for call in answer.tool_calls:
        yield call
    yield answer.response
    yield answer


def _sent(event: Event) -> str:
    match event:
        case ToolCall():
            return _line("tool_call", event.model_dump(mode="json"))
        case ChatAnswer():
            return _line("done", event.model_dump(mode="json"))
        case Failure():
            return _line(
                "error", {"status": event.status, "detail": event.text, "retry_after": event.retry_after}
            )
        case _:
            return _line("delta", {"text": event})


def _line(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
