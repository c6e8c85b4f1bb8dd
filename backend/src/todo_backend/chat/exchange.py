"""One message and its answer. An exchange runs to its end even when nobody listens any more.

Tools may have changed tasks by then, so the answer is stored for the page to find; the same key replays it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from todo_backend.chat.assistant import Assistant, Reply
from todo_backend.chat.conversations import Conversations
from todo_backend.chat.failures import AGENT_FAILED, EmptyReplyError, Failure, failure_of
from todo_backend.chat.guard import REFUSAL, OffTopicError
from todo_backend.chat.history import Turn
from todo_backend.chat.idempotency import Claim
from todo_backend.chat.schemas import ChatAnswer, ToolCall
from todo_backend.config import Settings
from todo_backend.database import Sessions
from todo_backend.models import Role
from todo_backend.request_context import RequestContext
from todo_backend.security_log import refused

log = structlog.get_logger(__name__)

Event = ToolCall | str | ChatAnswer | Failure
"""A tool call, a piece of text, and at the end the whole answer or the failure."""


@dataclass(frozen=True)
class Asked:
    """A message that is saved and waits for its answer; `turns` is the conversation up to it."""

    user_id: str
    time_zone: str
    conversation_id: UUID
    turns: list[Turn]
    claim: Claim
    context: RequestContext


class Exchanges:
    """All exchanges under way in this process."""

    def __init__(self, settings: Settings, sessions: Sessions, assistant: Assistant) -> None:
        self._settings = settings
        self._sessions = sessions
        self._assistant = assistant
        self._running: set[asyncio.Task[None]] = set()

    def start(self, asked: Asked) -> AsyncIterator[Event]:
        """Begin to answer; the events come as they happen, whether or not they are read."""
        events: asyncio.Queue[Event] = asyncio.Queue()
        task = asyncio.create_task(self._run(asked, events))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return _until_the_end(events)

    async def finish(self, seconds: float) -> None:
        """Wait for the exchanges that nobody listens to; what takes longer than `seconds` is ended."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, asked: Asked, events: asyncio.Queue[Event]) -> None:
        """Answer, and end the events whatever happens: their reader waits for the end."""
        end: Event = AGENT_FAILED.after(0)
        try:
            end = await self._answer(asked, events)
        except Exception as error:
            log.error("exchange_broken", exc_info=error)
        except asyncio.CancelledError:
            await asked.claim.give_up()
            raise
        finally:
            events.put_nowait(end)

    async def _answer(self, asked: Asked, events: asyncio.Queue[Event]) -> ChatAnswer | Failure:
        calls = 0
        try:
            async with asyncio.timeout(self._settings.chat_timeout):
                async for piece in self._assistant.answer(
                    asked.user_id, asked.time_zone, asked.context, asked.turns, asked.claim.touch
                ):
                    if isinstance(piece, Reply):
                        answer = await self._store(asked, piece)
                        await asked.claim.remember(answer)
                        return answer
                    calls += isinstance(piece, ToolCall)
                    events.put_nowait(piece)
            raise EmptyReplyError
        except OffTopicError:
            return await self._refuse(asked)
        except Exception as error:
            failure = failure_of(error)
            log.warning("chat_failed", status=failure.status, tool_calls=calls, exc_info=error)
            await asked.claim.give_up()
            return failure.after(calls)

    async def _refuse(self, asked: Asked) -> Failure:
        """Store the refusal as the answer, so that the conversation reads on."""
        refused("off_topic", 403)
        try:
            await self._store(asked, Reply(REFUSAL, []), final=False)
        except Exception as error:
            log.warning("refusal_not_stored", exc_info=error)
        await asked.claim.give_up()
        return Failure(403, REFUSAL)

    async def _store(self, asked: Asked, reply: Reply, *, final: bool = True) -> ChatAnswer:
        calls: list[dict[str, Any]] = [call.model_dump(mode="json") for call in reply.tool_calls]
        async with self._sessions() as work:
            conversations = Conversations(work, asked.user_id)
            answer_id = await conversations.say(asked.conversation_id, Role.ASSISTANT, reply.text, calls)
            if final:
                await asked.claim.fulfil(work, answer_id)
            await work.commit()
        return ChatAnswer(
            conversation_id=asked.conversation_id,
            response=reply.text,
            tool_calls=reply.tool_calls,
            model=self._settings.openai_model,
        )


async def _until_the_end(events: asyncio.Queue[Event]) -> AsyncIterator[Event]:
    while True:
        event = await events.get()
        yield event
        if isinstance(event, ChatAnswer | Failure):
            return
