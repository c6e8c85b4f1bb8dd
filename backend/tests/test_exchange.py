"""Exchanges at the end of the process: those without a reader get their time, then are ended."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import uuid4

from people import AUTH_SECRET, SIGNING_KEY
from starlette.datastructures import Headers

from todo_backend.chat.assistant import Assistant
from todo_backend.chat.exchange import Asked, Exchanges
from todo_backend.chat.failures import Failure
from todo_backend.chat.idempotency import Claim
from todo_backend.config import Settings
from todo_backend.database import Sessions
from todo_backend.request_context import RequestContext

SETTINGS = Settings.model_validate(
    {
        "database_url": "postgresql://nobody@127.0.0.1:1/none",
        "better_auth_secret": AUTH_SECRET,
        "mcp_signing_key": SIGNING_KEY,
        "openai_api_key": "",
    }
)


class Kept:
    """A claim that says whether it was given up."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.given_up = 0
        self.problem = problem

    async def touch(self, tool: str) -> None:
        """Nothing is kept."""

    async def give_up(self) -> None:
        self.given_up += 1
        if self.problem is not None:
            raise self.problem


class Waiting:
    """An assistant that answers with a failure, once it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()

    async def answer(self, *_: Any) -> AsyncIterator[Any]:
        await self.let.wait()
        yield "a piece"
        raise ValueError("internals")


async def started(assistant: Waiting, kept: Kept) -> tuple[Exchanges, AsyncIterator[Any]]:
    claim = cast(Claim, kept)
    exchanges = Exchanges(SETTINGS, cast(Sessions, None), cast(Assistant, assistant))
    events = exchanges.start(Asked("user", "UTC", uuid4(), [], claim, RequestContext.of(Headers())))
    await asyncio.sleep(0)
    return exchanges, events


def test_an_exchange_is_waited_for() -> None:
    async def once() -> None:
        assistant, kept = Waiting(), Kept()
        exchanges, events = await started(assistant, kept)
        assistant.let.set()
        await exchanges.finish(60)
        assert [await anext(events), type(await anext(events))] == ["a piece", Failure]
        assert kept.given_up == 1

    asyncio.run(once())


def test_an_exchange_that_takes_too_long_is_ended_and_its_key_given_up() -> None:
    async def once() -> None:
        assistant, kept = Waiting(), Kept()
        exchanges, _ = await started(assistant, kept)
        await exchanges.finish(0)
        assert kept.given_up == 1
        await exchanges.finish(0)

    asyncio.run(once())


def test_the_reader_hears_of_the_end_whatever_breaks() -> None:
    async def once() -> None:
        assistant = Waiting()
        assistant.let.set()
        _, events = await started(assistant, Kept(ValueError("internals")))
        assert await anext(events) == "a piece"
        end = await anext(events)
        assert isinstance(end, Failure)
        assert (end.status, "internals" in end.text) == (500, False)

    asyncio.run(once())
