"""Conversations of one user in PostgreSQL. Every statement filters by the user."""

from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from todo_backend.chat.history import BRIEF_LENGTH, BRIEFS, HISTORY_MESSAGES, Turn, within_budget
from todo_backend.models import Conversation, Message, Role

_TITLE_FROM_MESSAGE = 60
_PREVIEW_LENGTH = 120


class Conversations:
    """The conversations of `user_id` within a unit of work; the caller commits."""

    def __init__(self, work: AsyncSession, user_id: str) -> None:
        self._work = work
        self.user_id = user_id

    async def get(self, conversation_id: UUID) -> Conversation | None:
        """The conversation, or None when the user has none such."""
        found = await self._work.exec(
            select(Conversation).where(
                Conversation.id == conversation_id, Conversation.user_id == self.user_id
            )
        )
        return found.one_or_none()

    async def create(self, first_message: str) -> Conversation:
        """A new conversation, titled by the beginning of its first message."""
        line = " ".join(first_message.split())
        title = line if len(line) <= _TITLE_FROM_MESSAGE else line[: _TITLE_FROM_MESSAGE - 1] + "…"
        conversation = Conversation(user_id=self.user_id, title=title)
        self._work.add(conversation)
        await self._work.flush()
        return conversation

    async def page(self, limit: int, offset: int) -> tuple[list[tuple[Conversation, str | None]], int]:
        """Conversations with a preview of their last message, latest activity first, and how many in all."""
        last_message = (
            select(func.left(Message.content, _PREVIEW_LENGTH))
            .where(Message.conversation_id == Conversation.id)
            .order_by(col(Message.created_at).desc(), col(Message.id))
            .limit(1)
            .correlate(Conversation)
            .scalar_subquery()
        )
        found = await self._work.exec(
            select(Conversation, last_message)
            .where(Conversation.user_id == self.user_id)
            .order_by(col(Conversation.updated_at).desc(), col(Conversation.id))
            .limit(limit)
            .offset(offset)
        )
        total = await self._work.exec(
            select(func.count()).select_from(Conversation).where(Conversation.user_id == self.user_id)
        )
        return [(conversation, preview) for conversation, preview in found], total.one()

    async def messages(self, conversation_id: UUID, limit: int, offset: int = 0) -> tuple[list[Message], int]:
        """The latest messages but for the newest `offset`, oldest first, and how many there are in all."""
        mine = (Message.conversation_id == conversation_id, Message.user_id == self.user_id)
        found = await self._work.exec(
            select(Message)
            .where(*mine)
            .order_by(col(Message.created_at).desc(), col(Message.role), col(Message.id))
            .limit(limit)
            .offset(offset)
        )
        total = await self._work.exec(select(func.count()).select_from(Message).where(*mine))
        return list(found)[::-1], total.one()

    async def say(
        self, conversation_id: UUID, role: Role, content: str, tool_calls: list[dict[str, Any]] | None = None
    ) -> UUID:
        """Append a message and mark the conversation as active now; the message's id."""
        message = Message(
            conversation_id=conversation_id,
            user_id=self.user_id,
            role=role.value,
            content=content,
            tool_calls=tool_calls or None,
        )
        self._work.add(message)
        await self._work.flush()
        await self._work.exec(
            update(Conversation).where(col(Conversation.id) == conversation_id).values(updated_at=func.now())
        )
        return message.id

    async def ask(self, conversation_id: UUID, content: str) -> None:
        """Append the user's message; one that was sent before and has no answer yet is not repeated."""
        newest, _ = await self.messages(conversation_id, 1)
        if not newest or (newest[0].role, newest[0].content) != (Role.USER, content):
            await self.say(conversation_id, Role.USER, content)

    async def history(self, conversation_id: UUID) -> list[Turn]:
        """What the model is told of the conversation: its newest messages, and the older ones in brief."""
        messages, total = await self.messages(conversation_id, HISTORY_MESSAGES)
        turns: list[Turn] = [
            {"role": "user" if message.role == Role.USER else "assistant", "content": message.content}
            for message in messages
        ]
        older = total - len(messages)
        asked = await self._asked_before(conversation_id, messages[0]) if older else []
        return within_budget(turns, older, asked)

    async def _asked_before(self, conversation_id: UUID, message: Message) -> list[str]:
        """The beginnings of the user's last messages before `message`, oldest first."""
        found = await self._work.exec(
            select(func.left(Message.content, BRIEF_LENGTH * 2))
            .where(
                Message.conversation_id == conversation_id,
                Message.user_id == self.user_id,
                Message.role == Role.USER.value,
                Message.created_at < message.created_at,
            )
            .order_by(col(Message.created_at).desc(), col(Message.id))
            .limit(BRIEFS)
        )
        return list(found)[::-1]

    async def rename(self, conversation_id: UUID, title: str) -> Conversation | None:
        """Set the title; None when the user has no such conversation."""
        done = await self._work.exec(
            update(Conversation)
            .where(col(Conversation.id) == conversation_id, col(Conversation.user_id) == self.user_id)
            .values(title=title)
            .returning(Conversation)
        )
        return done.scalar_one_or_none()

    async def delete(self, conversation_id: UUID) -> bool:
        """Delete the conversation with its messages; False when the user has no such conversation."""
        done = await self._work.exec(
            delete(Conversation)
            .where(col(Conversation.id) == conversation_id, col(Conversation.user_id) == self.user_id)
            .returning(col(Conversation.id))
        )
        return done.scalar_one_or_none() is not None
