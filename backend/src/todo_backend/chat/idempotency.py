"""A message with an Idempotency-Key is carried out at most once, by whichever replica, whatever ends.

The keys lie in PostgreSQL: claimed in the transaction that saves the message, touched before the first tool
runs, answered in the transaction that saves the answer. A claim without a tool may be given up or outlived;
one with a tool never: it is answered with what was begun.
"""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from todo_backend.chat.schemas import ChatAnswer
from todo_backend.database import Sessions
from todo_backend.models import ChatKey, Message
from todo_backend.state import StateStore, StateUnavailableError

CACHE_SECONDS = 600
"""For an answer in the state store; the key and the answer in the database stay for a day."""
RETRY_AFTER_SECONDS = 2

log = structlog.get_logger(__name__)

_FORGET = text("""
DELETE FROM chat_key WHERE (user_id, key) IN (
    SELECT user_id, key FROM chat_key WHERE created_at < now() - interval '1 day'
    ORDER BY created_at LIMIT 5 FOR UPDATE SKIP LOCKED)""")
_CLAIM = text("""
INSERT INTO chat_key AS kept (user_id, key, message, owner, turn_ends_at)
VALUES (:user_id, :key, :message, :owner, now() + make_interval(secs => :seconds))
ON CONFLICT (user_id, key) DO UPDATE SET owner = excluded.owner, turn_ends_at = excluded.turn_ends_at
WHERE kept.message = excluded.message AND NOT kept.answered AND kept.tools = '[]'
    AND kept.turn_ends_at <= now()
RETURNING owner""")
_MINE = "WHERE user_id = :user_id AND key = :key AND owner = :owner AND NOT answered"
_TOUCH = text(
    f"UPDATE chat_key SET tools = tools || to_jsonb(CAST(:tool AS text)) {_MINE} RETURNING key"  # noqa: S608
)
_FULFIL = text(f"UPDATE chat_key SET answered = true, answer_id = :answer {_MINE}")  # noqa: S608
_FREE = text(f"DELETE FROM chat_key {_MINE} AND tools = '[]'")  # noqa: S608
_END = text(f"UPDATE chat_key SET turn_ends_at = now() {_MINE}")  # noqa: S608


class InProgressError(Exception):
    """The same message is being answered right now."""


class OtherMessageError(Exception):
    """The key was used for another message."""


class DoneInPartError(Exception):
    """The message was carried out before, as far as `tools` say, and has no answer to give again."""

    def __init__(self, tools: list[str]) -> None:
        super().__init__()
        self.tools = tools


class LostClaimError(Exception):
    """Somebody else carries the message out by now; nothing may be done for this claim."""


@dataclass(frozen=True)
class Claim:
    """The right to carry out one message; without a key there is nothing to keep."""

    idempotency: "Idempotency"
    user_id: str
    key: UUID | None
    message: str = ""
    owner: UUID | None = None

    @property
    def _mine(self) -> dict[str, Any]:
        return {"user_id": self.user_id, "key": self.key, "owner": self.owner}

    async def touch(self, tool: str) -> None:
        """Write down that `tool` is about to run.

        Raises:
            LostClaimError: it must not run for this claim.
        """
        if self.key is None:
            return
        async with self.idempotency.sessions() as work:
            connection = await work.connection()
            found = await connection.execute(_TOUCH, {**self._mine, "tool": tool[:64]})
            if found.first() is None:
                raise LostClaimError
            await work.commit()

    async def fulfil(self, work: AsyncSession, answer_id: UUID) -> None:
        """Mark as answered, together with the answer that `work` saves."""
        if self.key is not None:
            await (await work.connection()).execute(_FULFIL, {**self._mine, "answer": answer_id})

    async def remember(self, answer: ChatAnswer) -> None:
        """Keep the answer in the state store besides, where there is one."""
        if self.key is not None:
            await self.idempotency.remember(self, answer)

    async def give_up(self) -> None:
        """End the attempt: the key is free if no tool was touched, else answered with what was begun."""
        if self.key is None:
            return
        try:
            async with self.idempotency.sessions() as work:
                connection = await work.connection()
                await connection.execute(_FREE, self._mine)
                await connection.execute(_END, self._mine)
                await work.commit()
        except Exception as error:  # it ends by itself, with the turn's time
            log.warning("claim_not_given_up", exc_info=error)


class Idempotency:
    """Claims on keys, each of one user."""

    def __init__(self, sessions: Sessions, cache: StateStore | None, turn_seconds: float, model: str) -> None:
        self.sessions = sessions
        self._cache = cache
        self._model = model
        self._turn_seconds = int(turn_seconds) + 15
        """A claim outlives its turn by little, so that a lost process does not block the key for long."""

    async def claim(
        self, work: AsyncSession, user_id: str, key: UUID | None, message: str
    ) -> Claim | ChatAnswer:
        """The right to carry the message out, which counts once `work` is committed, or the earlier answer.

        Raises:
            InProgressError: the answer is being made.
            OtherMessageError: the key came with another message.
            DoneInPartError: it was carried out as far as it went.
        """
        if key is None:
            return Claim(self, user_id, None)
        claim = Claim(self, user_id, key, _digest(message), uuid4())
        connection = await work.connection()
        await connection.execute(_FORGET)
        values = {"user_id": user_id, "key": key, "message": claim.message, "owner": claim.owner}
        taken = await connection.execute(_CLAIM, {**values, "seconds": self._turn_seconds})
        if taken.first() is not None:
            return claim
        found = await work.exec(
            select(ChatKey, col(ChatKey.turn_ends_at) > func.now()).where(
                ChatKey.user_id == user_id, ChatKey.key == key
            )
        )
        kept, under_way = found.one()
        if kept.message != claim.message:
            raise OtherMessageError
        if not kept.answered:
            raise InProgressError if under_way else DoneInPartError(kept.tools)
        if (answer := await self._recall(claim) or await self._from_database(work, kept)) is None:
            raise DoneInPartError(kept.tools)
        return answer

    async def _from_database(self, work: AsyncSession, kept: ChatKey) -> ChatAnswer | None:
        """The answer as it was saved; None once its conversation is deleted."""
        if (message := await work.get(Message, kept.answer_id) if kept.answer_id else None) is None:
            return None
        return ChatAnswer.model_validate(
            {
                "conversation_id": message.conversation_id,
                "response": message.content,
                "tool_calls": message.tool_calls or [],
                "model": self._model,
            }
        )

    async def remember(self, claim: Claim, answer: ChatAnswer) -> None:
        """Keep an answer in the state store; that it fails costs nothing."""
        if self._cache is None:
            return
        value = {"message": claim.message, "answer": answer.model_dump(mode="json")}
        try:
            await self._cache.create(_cache_key(claim), value, CACHE_SECONDS)
        except StateUnavailableError as error:
            log.warning("state_unavailable", during="remember", exc_info=error)

    async def _recall(self, claim: Claim) -> ChatAnswer | None:
        if self._cache is None:
            return None
        try:
            found = await self._cache.read(_cache_key(claim))
        except StateUnavailableError as error:
            log.warning("state_unavailable", during="recall", exc_info=error)
            return None
        if found is None or found.get("message") != claim.message:
            return None
        return ChatAnswer.model_validate(found["answer"])


def _cache_key(claim: Claim) -> str:
    return f"chat-{_digest(claim.user_id)}-{claim.key}"


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:32]
