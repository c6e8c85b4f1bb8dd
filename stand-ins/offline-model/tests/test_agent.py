"""The agent library that the backend uses, whole and streamed, against a live server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agents import (
    Agent,
    FunctionTool,
    OpenAIChatCompletionsModel,
    RunConfig,
    Runner,
    set_tracing_disabled,
)
from agents.tool_context import ToolContext
from openai import AsyncOpenAI, OpenAI, RateLimitError

from world import TOOLS, TodoList

set_tracing_disabled(True)  # nothing leaves this machine


def agent(server: str, todo: TodoList) -> Agent[None]:
    client = AsyncOpenAI(base_url=f"{server}/v1", api_key="none", max_retries=0)
    return Agent[None](
        name="Todo assistant",
        instructions="You help one person with their todo list. Today is 2026-11-23, a Monday.",
        model=OpenAIChatCompletionsModel("offline-model", client),
        tools=[_served(tool["function"], todo) for tool in TOOLS],
    )


def _served(function: dict[str, Any], todo: TodoList) -> FunctionTool:
    async def invoke(_: ToolContext[Any], arguments: str) -> str:
        return todo.run(function["name"], json.loads(arguments))

    return FunctionTool(
        name=function["name"],
        description=function["description"],
        params_json_schema=function["parameters"],
        on_invoke_tool=invoke,
        strict_json_schema=False,
    )


QUIET = RunConfig(tracing_disabled=True)


def test_an_agent_adds_and_completes(server: str) -> None:
    todo = TodoList()
    first = Runner.run_sync(agent(server, todo), "buy milk and call mum tomorrow", run_config=QUIET)
    assert 'I added "buy milk" (medium priority, due tomorrow)' in first.final_output
    assert [task["target_completion_date"] for task in todo.tasks] == ["2026-11-24", "2026-11-24"]
    turns: Any = [*first.to_input_list(), {"role": "user", "content": "complete the second one"}]
    second = Runner.run_sync(agent(server, todo), turns, run_config=QUIET)
    assert 'I completed "buy milk"' in second.final_output
    assert [task["is_completed"] for task in todo.tasks] == [False, True]


@pytest.mark.parametrize("said", ["show my tasks", "hello"])
def test_a_streamed_run_ends_with_the_same_words(server: str, said: str) -> None:
    import asyncio

    async def run() -> tuple[str, str]:
        streamed = Runner.run_streamed(agent(server, TodoList("buy milk")), said, run_config=QUIET)
        parts: list[str] = []
        async for event in streamed.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                parts.append(event.data.delta)
        assert len(parts) > 3, "the words did not come one by one"
        return "".join(parts), str(streamed.final_output)

    words, final = asyncio.run(run())
    assert words == final
    whole = Runner.run_sync(agent(server, TodoList("buy milk")), said, run_config=QUIET)
    assert whole.final_output == final


def test_the_rate_limit_is_the_clients_own_error(server: str) -> None:
    client = OpenAI(
        base_url=f"{server}/v1",
        api_key="none",
        max_retries=0,
        default_headers={"X-Offline-Model-Fault": "429"},
    )
    with pytest.raises(RateLimitError) as limited:
        client.chat.completions.create(model="offline-model", messages=[{"role": "user", "content": "hello"}])
    assert limited.value.code == "rate_limit_exceeded"
    assert limited.value.response.headers["retry-after"] == "1"
