"""Routes of the chat and its conversations."""

import asyncio
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, HTTPException, Query, Request

from todo_backend.auth.dependency import UnitOfWork, User
from todo_backend.chat.assistant import Assistant
from todo_backend.chat.conversations import Conversations
from todo_backend.chat.failures import failure_of
from todo_backend.chat.history import HISTORY_MESSAGES, Turn, within_budget
from todo_backend.chat.schemas import (
    ChatAnswer,
    ChatRequest,
    ConversationDetail,
    ConversationList,
    ConversationOut,
    ConversationSummary,
    MessageOut,
    Rename,
)
from todo_backend.models import Role

router = APIRouter(prefix="/api/{user_id}", tags=["chat"])
log = structlog.get_logger(__name__)

_NOT_FOUND = "There is no such conversation."
Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@router.post("/chat")
async def chat(user: User, work: UnitOfWork, request: Request, said: ChatRequest) -> ChatAnswer:
    """Answer a message. It is saved before the model is asked, and no connection is held meanwhile."""
    conversations = Conversations(work, user)
    if said.conversation_id is None:
        conversation = await conversations.create(said.message)
    elif (found := await conversations.get(said.conversation_id)) is not None:
        conversation = found
    else:
        raise HTTPException(404, _NOT_FOUND)
    await conversations.say(conversation.id, Role.USER, said.message)
    messages, _ = await conversations.messages(conversation.id, HISTORY_MESSAGES)
    await work.commit()

    assistant: Assistant = request.app.state.assistant
    turns: list[Turn] = [
        {"role": "user" if message.role == Role.USER else "assistant", "content": message.content}
        for message in messages
    ]
    try:
        async with asyncio.timeout(request.app.state.settings.chat_timeout):
            reply = await assistant.answer(user, request.state.request_id, within_budget(turns))
    except Exception as error:
        failure = failure_of(error)
        log.warning("chat_failed", status=failure.status, exc_info=error)
        headers = {"Retry-After": str(failure.retry_after)} if failure.retry_after else None
        raise HTTPException(failure.status, failure.text, headers) from None

    calls = [call.model_dump(mode="json") for call in reply.tool_calls]
    await conversations.say(conversation.id, Role.ASSISTANT, reply.text, calls)
    await work.commit()
    return ChatAnswer(
        conversation_id=conversation.id,
        response=reply.text,
        tool_calls=reply.tool_calls,
        model=request.app.state.settings.openai_model,
    )


@router.get("/conversations")
async def list_conversations(
    user: User, work: UnitOfWork, limit: Limit = 20, offset: Offset = 0
) -> ConversationList:
    """Conversations, latest activity first."""
    page, total = await Conversations(work, user).page(limit, offset)
    summaries = [
        ConversationSummary(**ConversationOut.model_validate(conversation).model_dump(), preview=preview)
        for conversation, preview in page
    ]
    return ConversationList(conversations=summaries, total=total)


@router.get("/conversations/{conversation_id}")
async def read_conversation(
    user: User, work: UnitOfWork, conversation_id: UUID, limit: Limit = 50, offset: Offset = 0
) -> ConversationDetail:
    """A conversation with its latest messages, oldest first; `offset` counts back from the newest."""
    conversations = Conversations(work, user)
    if (conversation := await conversations.get(conversation_id)) is None:
        raise HTTPException(404, _NOT_FOUND)
    messages, total = await conversations.messages(conversation_id, limit, offset)
    return ConversationDetail(
        **ConversationOut.model_validate(conversation).model_dump(),
        messages=[MessageOut.model_validate(message) for message in messages],
        total=total,
    )


@router.patch("/conversations/{conversation_id}")
async def rename_conversation(
    user: User, work: UnitOfWork, conversation_id: UUID, rename: Rename
) -> ConversationOut:
    """Give a conversation another title."""
    conversation = await Conversations(work, user).rename(conversation_id, rename.title)
    if conversation is None:
        raise HTTPException(404, _NOT_FOUND)
    await work.commit()
    return ConversationOut.model_validate(conversation)


@router.delete("/conversations/{conversation_id}", status_code=204)
async def delete_conversation(user: User, work: UnitOfWork, conversation_id: UUID) -> None:
    """Delete a conversation with its messages."""
    if not await Conversations(work, user).delete(conversation_id):
        raise HTTPException(404, _NOT_FOUND)
    await work.commit()
