"""The real client library against a live server: what an agent will do."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai import OpenAI

from world import TOOLS, TodoList


@pytest.fixture
def client(server: str) -> OpenAI:
    return OpenAI(base_url=f"{server}/v1", api_key="unused", max_retries=0)


def converse(client: OpenAI, todo: TodoList, text: str) -> str:
    messages: list[Any] = [{"role": "user", "content": text}]
    tools: Any = TOOLS
    for _ in range(6):
        done = client.chat.completions.create(model="offline-model", messages=messages, tools=tools)
        assert done.model == "offline-model"
        message = done.choices[0].message
        if not message.tool_calls:
            assert done.choices[0].finish_reason == "stop"
            return message.content or ""
        assert done.choices[0].finish_reason == "tool_calls"
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            assert call.type == "function"
            result = todo.run(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    raise AssertionError("no answer in words")


def test_a_task_is_added_and_completed(client: OpenAI) -> None:
    todo = TodoList()
    assert "buy milk" in converse(client, todo, "add buy milk")
    assert "completed" in converse(client, todo, "complete buy milk")
    assert todo.tasks[0]["is_completed"]


def test_equal_requests_get_equal_answers(client: OpenAI) -> None:
    def ask() -> Any:
        tools: Any = TOOLS
        return client.chat.completions.create(
            model="offline-model", messages=[{"role": "user", "content": "add tea"}], tools=tools
        ).model_dump(exclude={"created"})

    assert ask() == ask()


def test_streamed_words(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="offline-model",
            messages=[{"role": "user", "content": "hello"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.startswith("Hello! I am the offline model")
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.completion_tokens > 0


def test_streamed_tool_call(client: OpenAI) -> None:
    tools: Any = TOOLS
    with client.chat.completions.stream(
        model="offline-model", messages=[{"role": "user", "content": "add tea"}], tools=tools
    ) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].function.name == "add_task"
    assert json.loads(calls[0].function.arguments) == {"title": "tea"}


def test_text_parts_are_read_as_text(client: OpenAI) -> None:
    done = client.chat.completions.create(
        model="offline-model", messages=[{"role": "user", "content": [{"type": "text", "text": "hello"}]}]
    )
    assert (done.choices[0].message.content or "").startswith("Hello!")


def test_models_are_listed(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["offline-model"]
    assert client.models.retrieve("offline-model").owned_by == "offline-model"


def test_errors_come_in_the_apis_form(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="only 'offline-model'") as unknown:
        client.chat.completions.create(model="other", messages=[{"role": "user", "content": "hello"}])
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.chat.completions.create(model="offline-model", messages=[])
    with pytest.raises(openai.BadRequestError, match="n must be 1"):
        client.chat.completions.create(
            model="offline-model", messages=[{"role": "user", "content": "hello"}], n=2
        )
    with pytest.raises(openai.NotFoundError, match="no such resource"):
        client.get("/nowhere", cast_to=object)


def test_health(server: str) -> None:
    with OpenAI(base_url=server, api_key="unused") as client:
        assert client.get("/health", cast_to=object) == {"status": "healthy", "model": "offline-model"}
