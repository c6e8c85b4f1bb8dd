"""One answer per Idempotency-Key: the same message sent again within ten minutes is not carried out twice."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from todo_backend.chat.schemas import ChatAnswer
from todo_backend.state import StateStore, StateUnavailableError

KEEP_SECONDS = 600
RETRY_AFTER_SECONDS = 2

log = structlog.get_logger(__name__)


class InProgressError(Exception):
    """The same message is being answered right now."""


class OtherMessageError(Exception):
    """The key was used for another message."""


@dataclass(frozen=True)
class Claim:
    """The right to answer one message; without a store behind it, it keeps nothing."""

    store: StateStore | None = None
    key: str = ""
    message: str = ""

    async def fulfil(self, answer: ChatAnswer) -> None:
        """Keep the answer for those who ask again."""
        value = {"message": self.message, "answer": answer.model_dump(mode="json")}
        if self.store is not None:
            try:
                await self.store.replace(self.key, value, KEEP_SECONDS)
            except StateUnavailableError as error:
                log.warning("state_unavailable", during="fulfil", exc_info=error)

    async def release(self) -> None:
        """Let the message be sent again: it was not answered."""
        if self.store is not None:
            try:
                await self.store.delete(self.key)
            except StateUnavailableError as error:
                log.warning("state_unavailable", during="release", exc_info=error)


class Idempotency:
    """Claims on keys, each of one user. A failing store costs the protection, never the answer."""

    def __init__(self, store: StateStore, turn_seconds: float) -> None:
        self._store = store
        self._turn_seconds = int(turn_seconds) + 15
        """A claim outlives its turn by little, so that a lost process does not block the key for long."""

    async def claim(self, user_id: str, key: UUID | None, message: str) -> Claim | ChatAnswer:
        """The right to answer, or the answer that was given before.

        Raises:
            InProgressError: the answer is being made.
            OtherMessageError: the key came with another message.
        """
        if key is None:
            return Claim()
        claim = Claim(self._store, f"chat-{_digest(user_id)}-{key}", _digest(message))
        try:
            if await self._store.create(claim.key, {"message": claim.message}, self._turn_seconds):
                return claim
            found = await self._store.read(claim.key)
        except StateUnavailableError as error:
            log.warning("state_unavailable", during="claim", exc_info=error)
            return Claim()
        return _answered(found, claim)


def _answered(found: dict[str, Any] | None, claim: Claim) -> ChatAnswer:
    if found is not None and found.get("message") != claim.message:
        raise OtherMessageError
    if found is None or "answer" not in found:
        raise InProgressError
    return ChatAnswer.model_validate(found["answer"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
