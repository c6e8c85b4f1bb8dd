"""Routes of the chat and its conversations."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from starlette.responses import JSONResponse, StreamingResponse

from todo_backend.allowance import Allowance
from todo_backend.answers import CHAT, NOT_FOUND, SIGNED_IN, Answers
from todo_backend.auth.dependency import TimeZone, UnitOfWork, User
from todo_backend.chat import stream
from todo_backend.chat.conversations import Conversations
from todo_backend.chat.exchange import Asked, Event
from todo_backend.chat.failures import Failure
from todo_backend.chat.idempotency import (
    RETRY_AFTER_SECONDS,
    Claim,
    DoneInPartError,
    InProgressError,
    OtherMessageError,
)
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
from todo_backend.request_context import RequestContext

router = APIRouter(prefix="/api/{user_id}", tags=["chat"], responses=SIGNED_IN)

_KEY = (
    "One per message: sent again within a day, the same answer comes again and nothing is done twice."
    " 409 without Retry-After: it was carried out in part before, and will not be again."
)
_REPLAYED = {"Idempotency-Replayed": "true"}
_ANSWERS: Answers = {
    200: {
        "description": stream.DESCRIPTION,
        "content": {stream.MEDIA_TYPE: {"schema": {"type": "string"}}},
        "headers": {"Idempotency-Replayed": {"schema": {"type": "string", "enum": ["true"]}}},
    },
    **CHAT,
}
_NOT_FOUND = "There is no such conversation."
Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


async def _chat_user(user: User, request: Request) -> str:
    """The user, who may ask the assistant now."""
    allowance: Allowance = request.app.state.allowance
    await allowance.take(user)
    return user


@router.post("/chat", response_model=ChatAnswer, responses=_ANSWERS)
async def chat(
    user: Annotated[str, Depends(_chat_user)],
    work: UnitOfWork,
    zone: TimeZone,
    request: Request,
    said: ChatRequest,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
    idempotency_key: Annotated[UUID | None, Header(description=_KEY)] = None,
) -> Response:
    """Answer a message. It is saved before the model is asked, and no connection is held meanwhile."""
    streams = stream.wanted(accept)
    try:
        claim = await request.app.state.idempotency.claim(work, user, idempotency_key, said.message)
    except InProgressError:
        raise HTTPException(
            409, "This message is being answered already.", {"Retry-After": str(RETRY_AFTER_SECONDS)}
        ) from None
    except OtherMessageError:
        raise HTTPException(422, "This Idempotency-Key was used for another message.") from None
    except DoneInPartError as error:
        raise HTTPException(409, _in_part(error.tools)) from None
    model: str = request.app.state.settings.openai_model
    if isinstance(claim, ChatAnswer):
        if streams:
            return _events(claim.conversation_id, model, stream.replayed(claim), _REPLAYED)
        return JSONResponse(claim.model_dump(mode="json"), headers=_REPLAYED)
    # One transaction: the key is claimed if, and only if, the message is saved.
    asked = await _save(Conversations(work, user), zone, said, claim, request.state.context)
    await work.commit()
    await work.close()
    events = request.app.state.exchanges.start(asked)
    if streams:
        return _events(asked.conversation_id, model, events)
    async for event in events:
        if isinstance(event, ChatAnswer):
            return JSONResponse(event.model_dump(mode="json"))
        if isinstance(event, Failure):
            headers = {"Retry-After": str(event.retry_after)} if event.retry_after else None
            body = {"detail": event.text, "conversation_id": str(asked.conversation_id)}
            return JSONResponse(body, event.status, headers)
    raise RuntimeError("the exchange ended without its answer")


def _in_part(tools: list[str]) -> str:
    done = ", ".join(tool.replace("_", " ") for tool in tools) or "answered"
    return (
        f"This message was carried out before, at least in part ({done}), and is not carried out again."
        " Please look at your tasks before you ask for more."
    )


async def _save(
    conversations: Conversations, zone: str, said: ChatRequest, claim: Claim, context: RequestContext
) -> Asked:
    """Save the message in its conversation, a new one if none is named.

    Raises:
        HTTPException: 404 when the user has no such conversation.
    """
    if said.conversation_id is None:
        conversation = await conversations.create(said.message)
    elif (found := await conversations.get(said.conversation_id)) is not None:
        conversation = found
    else:
        raise HTTPException(404, _NOT_FOUND)
    await conversations.ask(conversation.id, said.message)
    turns = await conversations.history(conversation.id)
    return Asked(conversations.user_id, zone, conversation.id, turns, claim, context)


def _events(
    conversation_id: UUID, model: str, events: AsyncIterator[Event], headers: dict[str, str] | None = None
) -> StreamingResponse:
    return StreamingResponse(
        stream.server_sent(conversation_id, model, events),
        media_type=stream.MEDIA_TYPE,
        headers={**stream.HEADERS, **(headers or {})},
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


@router.get("/conversations/{conversation_id}", responses=NOT_FOUND)
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


@router.patch("/conversations/{conversation_id}", responses=NOT_FOUND)
async def rename_conversation(
    user: User, work: UnitOfWork, conversation_id: UUID, rename: Rename
) -> ConversationOut:
    """Give a conversation another title."""
    conversation = await Conversations(work, user).rename(conversation_id, rename.title)
    if conversation is None:
        raise HTTPException(404, _NOT_FOUND)
    await work.commit()
    return ConversationOut.model_validate(conversation)


@router.delete("/conversations/{conversation_id}", status_code=204, responses=NOT_FOUND)
async def delete_conversation(user: User, work: UnitOfWork, conversation_id: UUID) -> None:
    """Delete a conversation with its messages."""
    if not await Conversations(work, user).delete(conversation_id):
        raise HTTPException(404, _NOT_FOUND)
    await work.commit()
