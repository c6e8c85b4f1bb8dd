"""A scripted server of the Chat Completions API: each test says what the model answers."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[dict[str, Any]], dict[str, Any] | int | list[dict[str, Any]]]
"""From a request's body to the message of the answer, a failure's status, or the choices of a stream."""


def text(content: str) -> dict[str, Any]:
    """A message of words."""
    return {"role": "assistant", "content": content}


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    """A message that calls one tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"call_{name}", "type": "function", "function": function}],
    }


def last(body: dict[str, Any]) -> dict[str, Any]:
    """The newest message of a request."""
    message: dict[str, Any] = body["messages"][-1]
    return message


class ScriptedModel:
    """What the model does now, and what it has been asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: Script = lambda _: text("Hello.")
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str] = []

    def steps(self, *messages: dict[str, Any] | int | list[dict[str, Any]]) -> None:
        """Answer with `messages` one after another; a further request fails the test's chat."""
        pending = list(messages)
        self.script = lambda _: pending.pop(0) if pending else 500
        self.requests.clear()


@contextmanager
def scripted_model() -> Iterator[ScriptedModel]:
    """Serve the API on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.requests.append(body)
            model.authorizations.append(self.headers["Authorization"])
            outcome = model.script(body)
            status = outcome if isinstance(outcome, int) else 200
            kind = "application/json"
            if isinstance(outcome, list):
                kind, content = "text/event-stream", _as_sent(outcome)
            elif isinstance(outcome, int):
                error = {"message": "secret detail of the vendor", "type": "test", "code": None}
                content = json.dumps({"error": error})
            elif body.get("stream"):
                kind, content = "text/event-stream", "".join(_chunks(outcome))
            else:
                content = json.dumps(_completion(outcome))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    api = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model = ScriptedModel(f"http://127.0.0.1:{api.server_port}/v1")
    thread = threading.Thread(target=api.serve_forever, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        api.shutdown()
        api.server_close()


def _as_sent(choices: list[dict[str, Any]]) -> str:
    """A stream of these choices, as another vendor's server sends it."""
    head = {"id": "chatcmpl-other", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
    lines = [f"data: {json.dumps({**head, 'choices': [{'index': 0, **each}]})}\n\n" for each in choices]
    return "".join(lines) + "data: [DONE]\n\n"


def _completion(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _chunks(message: dict[str, Any]) -> Iterator[str]:
    """The events of a streamed answer: text word by word, tool calls in one piece."""
    calls = [{"index": place, **call} for place, call in enumerate(message.get("tool_calls") or ())]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if calls else ""}]
    deltas += [{"content": piece} for piece in re.findall(r"\S+\s*|\s+", message.get("content") or "")]
    deltas += [{"tool_calls": [call]} for call in calls]
    head = {"id": "chatcmpl-test", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"
    end = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}
    yield f"data: {json.dumps({**head, 'choices': [end]})}\n\n"
    yield "data: [DONE]\n\n"
