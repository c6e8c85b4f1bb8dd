"""The agent: one turn asks the model, runs the tools that it wants, and ends with its reply."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from agents import (
    Agent,
    ModelRetryBackoffSettings,
    ModelRetrySettings,
    ModelSettings,
    RawResponsesStreamEvent,
    RunConfig,
    RunContextWrapper,
    RunHooks,
    RunItemStreamEvent,
    Runner,
    Tool,
    retry_policies,
    set_tracing_disabled,
)
from agents.items import ToolCallItem, ToolCallOutputItem
from agents.mcp import MCPServerStreamableHttp
from openai import AsyncOpenAI
from openai.types.responses import ResponseTextDeltaEvent

from todo_backend.chat.failures import EmptyReplyError, ToolsUnavailableError
from todo_backend.chat.guard import HeldBack, OffTopicError, belongs, is_refusal
from todo_backend.chat.history import Turn
from todo_backend.chat.instructions import instructions
from todo_backend.chat.schemas import ToolCall
from todo_backend.chat.tool_call_stream import TolerantModel
from todo_backend.chat.tools import task_tools
from todo_backend.config import Settings
from todo_backend.request_context import RequestContext

log = structlog.get_logger(__name__)

_MAX_TURNS = 10
_PASSING_STATUSES = (408, 409, 429, 500, 502, 503, 504)
# Single requests are tried again, never the whole turn: its tools may already have changed something.
_RETRY = ModelRetrySettings(
    max_retries=2,
    backoff=ModelRetryBackoffSettings(initial_delay=1, multiplier=2, max_delay=10, jitter=True),
    policy=retry_policies.any(retry_policies.network_error(), retry_policies.http_status(_PASSING_STATUSES)),
)

# A fence ends a line; inside a JSON text none can, since it holds no line breaks.
_BLOCK = re.compile(r"^```json[ \t]*\n(?P<json>.*?)(?:```[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)

_NO_KEY = "none"
"""Sent where no key is set: an empty one makes no valid header."""

set_tracing_disabled(True)  # traces would leave the machine, with what people wrote


@dataclass(frozen=True)
class Reply:
    """The assistant's words and the tools that it used, in order."""

    text: str
    tool_calls: list[ToolCall]


Touch = Callable[[str], Awaitable[None]]
"""Hears of each tool by name before it runs; what it raises ends the turn instead."""


class _Journal(RunHooks[None]):
    """One log line per tool call; the request id is bound to the request's context."""

    def __init__(self, touch: Touch) -> None:
        self._touch = touch

    async def on_tool_start(self, context: RunContextWrapper[None], agent: Any, tool: Tool) -> None:
        await self._touch(tool.name)
        log.info("mcp_tool_call", tool=tool.name)


class Assistant:
    """Answers messages; keeps nothing between turns, so any replica serves any turn."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = AsyncOpenAI(
            api_key=settings.openai_api_key.get_secret_value() or _NO_KEY,
            base_url=str(settings.openai_base_url) if settings.openai_base_url else None,
            timeout=settings.model_timeout,
            max_retries=0,  # the agent's own retries count
        )
        self._model = TolerantModel(settings.openai_model, self._client)

    async def close(self) -> None:
        """Close the connections to the model."""
        await self._client.close()

    async def answer(
        self, user_id: str, zone: str, request: RequestContext, turns: list[Turn], touch: Touch
    ) -> AsyncIterator[ToolCall | str | Reply]:
        """Answer the last of `turns` for `user_id`: tool calls and pieces of text, then the whole reply.

        Raises:
            OffTopicError: the message does not concern tasks.
            ToolsUnavailableError: the MCP server does not answer.
            EmptyReplyError: the model said nothing of use.
            Exception: the model or the agent failed; `failure_of` knows the kinds.
        """
        guard = self._settings.guard_model
        if guard and not await belongs(self._client, guard, turns):
            raise OffTopicError
        async with AsyncExitStack() as stack:
            tools = await _opened(task_tools(self._settings, user_id, zone, request), stack)
            agent = Agent[None](
                name="Todo assistant",
                instructions=instructions(datetime.now(UTC), zone),
                model=self._model,
                model_settings=ModelSettings(retry=_RETRY),
                mcp_servers=[tools],
            )
            running = Runner.run_streamed(
                agent,
                [{"role": turn["role"], "content": turn["content"]} for turn in turns],
                max_turns=_MAX_TURNS,
                hooks=_Journal(touch),
                run_config=RunConfig(tracing_disabled=True, trace_include_sensitive_data=False),
            )
            calls: list[ToolCall] = []
            begun: dict[str | None, ToolCallItem] = {}
            shown = HeldBack()
            try:
                async for event in running.stream_events():
                    if isinstance(event, RawResponsesStreamEvent):
                        if isinstance(event.data, ResponseTextDeltaEvent) and (
                            text := shown.pass_on(storable(event.data.delta))
                        ):
                            yield text
                    elif isinstance(event, RunItemStreamEvent):
                        if isinstance(event.item, ToolCallItem):
                            begun[event.item.call_id] = event.item
                        elif isinstance(event.item, ToolCallOutputItem):
                            calls.append(_tool_call(begun.get(event.item.call_id), event.item))
                            yield calls[-1]
            finally:
                running.cancel()
        yield Reply(_checked(str(running.final_output or ""), calls), calls)


def _checked(text: str, calls: list[ToolCall]) -> str:
    """The reply as it may be shown: the guard on output."""
    if is_refusal(text) and not calls:
        raise OffTopicError
    text = without_broken_blocks(storable(text)).strip()
    if not text or is_refusal(text):
        raise EmptyReplyError
    return text


def without_broken_blocks(text: str) -> str:
    """`text` without fenced json blocks that are cut off or are no JSON: a page cannot show them."""
    return _BLOCK.sub(lambda block: block[0] if _parsed(block["json"]) is not None else "", text)


async def _opened(tools: MCPServerStreamableHttp, stack: AsyncExitStack) -> MCPServerStreamableHttp:
    """Connect and ask for the tools, so that their absence is told apart from the model's."""
    try:
        await stack.enter_async_context(tools)
        await tools.list_tools()
    except Exception as error:
        raise ToolsUnavailableError from error
    return tools


def _tool_call(begun: ToolCallItem | None, ended: ToolCallOutputItem) -> ToolCall:
    """A call with its arguments and what came back."""
    return ToolCall(
        tool=(begun.tool_name if begun else None) or "",
        arguments=storable(_arguments(getattr(begun and begun.raw_item, "arguments", None))),
        result=storable(_result(ended.output)),
    )


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def _arguments(text: Any) -> dict[str, Any]:
    """Those of a call as they can be kept: whatever else a model wrote was refused by the tool."""
    parsed = _parsed(text)
    return parsed if isinstance(parsed, dict) else {}


def _result(output: Any) -> Any:
    """Structured results come as JSON; a failure comes as text, for people."""
    if isinstance(output, dict):
        output = output.get("text")
    parsed = _parsed(output)
    return parsed if parsed is not None else {"error": str(output)}


def storable[Value](value: Value) -> Value:
    """`value` without what PostgreSQL and UTF-8 cannot hold: NUL and halves of surrogate pairs.

    A model writes what it likes; that must not fail a turn whose tools have run.
    """
    kept: Any = value
    if isinstance(kept, str):
        kept = kept.replace("\0", "").encode("utf-8", "replace").decode()
    elif isinstance(kept, dict):
        kept = {storable(key): storable(inner) for key, inner in kept.items()}
    elif isinstance(kept, list):
        kept = [storable(inner) for inner in kept]
    return cast(Value, kept)
