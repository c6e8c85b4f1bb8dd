"""The wire format: requests and answers as the reference of OpenAI's Chat Completions API documents them.

The files in wire/ follow its examples: create chat completion (default, functions, streaming), list models,
error codes. Ours must have the same fields of the same JSON types, whole and streamed, so that no agent can
tell which of the two it talks to.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

WIRE = Path(__file__).parent / "wire"
REQUESTS: dict[str, Any] = json.loads((WIRE / "requests.json").read_text())
ANSWERS: dict[str, Any] = json.loads((WIRE / "answers.json").read_text())


@pytest.fixture
def api(server: str) -> httpx2.Client:
    return httpx2.Client(base_url=f"{server}/v1", headers={"Authorization": "Bearer none"}, timeout=10)


def request(kind: str, **more: Any) -> dict[str, Any]:
    return {**REQUESTS[kind], "model": "offline-model", **more}


def shape(value: Any) -> Any:
    """A value with each leaf replaced by its type; lists by the shapes that occur in them."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner), sort_keys=True) for inner in value})
    return type(value).__name__


def events(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.splitlines() if line]


@pytest.mark.parametrize("kind", ["words", "tools"])
def test_answers_have_the_documented_fields(api: httpx2.Client, kind: str) -> None:
    answer = api.post("/chat/completions", json=request(kind))
    assert answer.status_code == 200, answer.text
    assert shape(answer.json()) == shape(ANSWERS[kind])
    assert answer.headers["x-request-id"].startswith("req_")
    ours, documented = answer.json()["choices"][0], ANSWERS[kind]["choices"][0]
    assert ours["finish_reason"] == documented["finish_reason"]
    assert ours["message"].get("tool_calls", [{}])[0].get("function") == documented["message"].get(
        "tool_calls", [{}]
    )[0].get("function")


@pytest.mark.parametrize("kind", ["words", "tools"])
def test_streams_have_the_documented_events(api: httpx2.Client, kind: str) -> None:
    asked = request(kind, stream=True, stream_options={"include_usage": True})
    answer = api.post("/chat/completions", json=asked)
    assert answer.headers["content-type"].startswith("text/event-stream")
    ours, documented = events(answer.text), events((WIRE / f"{kind}.sse").read_text())
    assert ours[-1] == documented[-1] == "[DONE]"
    kinds = list(dict.fromkeys(json.dumps(shape(json.loads(event))) for event in ours[:-1]))
    assert kinds == list(dict.fromkeys(json.dumps(shape(json.loads(event))) for event in documented[:-1]))
    assert len({json.loads(event)["id"] for event in ours[:-1]}) == 1


def test_no_usage_is_streamed_unasked(api: httpx2.Client) -> None:
    answer = api.post("/chat/completions", json=request("words", stream=True))
    assert all("usage" not in json.loads(event) for event in events(answer.text)[:-1])


def test_parallel_calls_are_streamed_by_index(api: httpx2.Client) -> None:
    asked = request("tools", stream=True, messages=[{"role": "user", "content": "buy milk and call Ann"}])
    arguments: dict[int, str] = {}
    ids: dict[int, str] = {}
    for event in events(api.post("/chat/completions", json=asked).text)[:-1]:
        for call in json.loads(event)["choices"][0]["delta"].get("tool_calls", ()):
            ids.setdefault(call["index"], call.get("id", ""))
            arguments[call["index"]] = arguments.get(call["index"], "") + call["function"]["arguments"]
    assert [json.loads(text) for text in arguments.values()] == [{"title": "buy milk"}, {"title": "call Ann"}]
    assert len(set(ids.values())) == 2


def test_models_have_the_documented_fields(api: httpx2.Client) -> None:
    assert shape(api.get("/models").json()) == shape(ANSWERS["models"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_errors_can_be_ordered(api: httpx2.Client, status: int) -> None:
    answer = api.post(
        "/chat/completions", json=request("words"), headers={"X-Offline-Model-Fault": str(status)}
    )
    assert answer.status_code == status
    assert answer.json()["error"].keys() == ANSWERS["error"]["error"].keys()
    assert ("retry-after" in answer.headers) == (status == 429)


def test_an_unknown_order_is_refused(api: httpx2.Client) -> None:
    answer = api.get("/models", headers={"X-Offline-Model-Fault": "418"})
    assert answer.status_code == 400
    assert "none of 400" in answer.json()["error"]["message"]


CHOSEN = {"type": "function", "function": {"name": "add_task"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [CHOSEN]}}


@pytest.mark.parametrize(
    ("choice", "said", "called"),
    [
        ("auto", "hello", None),
        ("auto", "add tea", {"title": "tea"}),
        ("none", "add tea", None),
        ("required", "hello", {"title": "hello"}),
        ("required", "add tea", {"title": "tea"}),
        (CHOSEN, "hello", {"title": "hello"}),
        (ALLOWED, "add tea", {"title": "tea"}),
    ],
)
def test_tool_choice_is_obeyed(
    api: httpx2.Client, choice: Any, said: str, called: dict[str, str] | None
) -> None:
    asked = request("tools", tool_choice=choice, messages=[{"role": "user", "content": said}])
    message = api.post("/chat/completions", json=asked).json()["choices"][0]["message"]
    calls = [json.loads(call["function"]["arguments"]) for call in message.get("tool_calls", ())]
    assert calls == ([called] if called else [])


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"tool_choice": "perhaps"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "other"}}}, "tool_choice"),
        ({"tool_choice": "required", "tools": []}, "tool_choice"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "nobody", "content": ""}]}, "messages.0.role"),
        ({"n": 2}, None),
        ({"stream_options": {"include_usage": True}}, None),
        ({"response_format": {"type": "json_object"}}, None),
    ],
)
def test_what_cannot_be_honoured_is_refused(
    api: httpx2.Client, change: dict[str, Any], param: str | None
) -> None:
    answer = api.post("/chat/completions", json=request("tools", **change))
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_body_that_is_no_json_is_refused(api: httpx2.Client) -> None:
    answer = api.post("/chat/completions", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"]
