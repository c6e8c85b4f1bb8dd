"""Streamed tool calls as OpenAI's own servers send them, whichever server sent them.

Others reuse an index for each call, leave ids out, send arguments as an object, or null, or name no index.
Taken literally, calls run together or are lost, and the model goes on as if they had been done.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from agents import OpenAIChatCompletionsModel
from openai.types.chat import ChatCompletionChunk


class TolerantModel(OpenAIChatCompletionsModel):
    """A model of the Chat Completions API whose streams are read with patience."""

    async def _fetch_response(self, *args: Any, **kwargs: Any) -> Any:
        fetched: Any = await super()._fetch_response(*args, **kwargs)
        if isinstance(fetched, tuple):
            response, stream = fetched
            return response, _Patient(stream)
        return fetched


class _Patient:
    """The stream with its tool calls put in order; all else is the stream's."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        return ordered(self._stream)


_DEEPEST = 32
"""Levels of a call's arguments that are read; the tools' own have two."""
_LONGEST = 64 * 1024


@dataclass
class _Call:
    """What is known of a call so far."""

    id: str
    name: str
    arguments: str = ""
    depth: int = 0
    quoted: bool = False
    escaped: bool = False

    def take(self, arguments: str) -> str:
        """Add a piece of the arguments; what may be passed on. No parser has to bear any depth."""
        for place, sign in enumerate(arguments):
            if self.quoted:
                self.quoted = self.escaped or sign != '"'
                self.escaped = sign == "\\" and not self.escaped
            elif sign == '"':
                self.quoted = True
            elif sign in "[{":
                self.depth += 1
            elif sign in "]}":
                self.depth -= 1
            if self.depth > _DEEPEST or len(self.arguments) + place >= _LONGEST:
                self.depth, arguments = _DEEPEST + 1, arguments[:place]
                break
        self.arguments += arguments
        return arguments

    @property
    def whole(self) -> bool:
        """Whether its arguments are all here."""
        try:
            return isinstance(json.loads(self.arguments), dict)
        except (ValueError, RecursionError):
            return False


async def ordered(chunks: AsyncIterator[ChatCompletionChunk]) -> AsyncIterator[ChatCompletionChunk]:
    """`chunks` in which each tool call has an index and an id of its own, and arguments that are text."""
    calls: list[_Call] = []
    at: dict[Any, int] = {}
    """The call that goes on at an index as the server names it."""
    async for chunk in chunks:
        for choice in chunk.choices or ():
            for number, part in enumerate((choice.delta and choice.delta.tool_calls) or ()):
                _place(part, number, calls, at)
        yield chunk


def _place(part: Any, number: int, calls: list[_Call], at: dict[Any, int]) -> None:
    """Give a part of a call the index and the id of its call."""
    function = getattr(part, "function", None)
    name = getattr(function, "name", None) or ""
    given = getattr(part, "id", None) or ""
    arguments = getattr(function, "arguments", None)
    if arguments is not None and not isinstance(arguments, str):
        arguments = json.dumps(arguments)
    named = getattr(part, "index", None)
    named = number if named is None else named
    place = next((n for n, call in enumerate(calls) if given and call.id == given), at.get(named))
    if place is None or _begins(calls[place], given, name):
        place = len(calls)
        calls.append(_Call(given or f"call_{uuid4().hex}", name))
    at[named] = place
    call = calls[place]
    part.index, part.id, part.type = place, call.id, "function"
    if function is not None:
        function.arguments = None if arguments is None else call.take(arguments)


def _begins(call: _Call, given: str, name: str) -> bool:
    """Whether a part at the place of `call` is another call. Only one with a name can be: others go on."""
    if not name or given == call.id:
        return False
    if name != call.name and call.name:
        return True
    return call.whole or (not call.arguments and given != "")
