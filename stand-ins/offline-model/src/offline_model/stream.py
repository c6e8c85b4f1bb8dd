"""The streamed form of an answer: server-sent events as the Chat Completions API documents them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from offline_model.wire import Reply, ToolCall


def events(
    head: dict[str, Any], reply: Reply, calls: list[ToolCall], usage: dict[str, Any] | None
) -> Iterator[str]:
    """Events for one answer: `head` holds the fields of all chunks; `usage` ends the stream if given."""

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**head, "choices": [choice]} | ({"usage": None} if usage else {}))

    yield event({"role": "assistant", "content": None if calls else "", "refusal": None})
    for index, call in enumerate(calls):
        named = call.model_dump()
        arguments = named["function"].pop("arguments")
        yield event(
            {"tool_calls": [{"index": index, **named, "function": {**named["function"], "arguments": ""}}]}
        )
        for part in re.findall(r"\S+\s*|\s+", arguments):
            yield event({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    for word in re.findall(r"\S+\s*|\s+", reply.text):
        yield event({"content": word})
    yield event({}, reply.finish_reason)
    if usage:
        yield _data({**head, "choices": [], "usage": usage})
    yield "data: [DONE]\n\n"


def _data(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
