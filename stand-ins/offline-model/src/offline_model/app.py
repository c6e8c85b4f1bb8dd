"""HTTP surface: POST /v1/chat/completions, GET /v1/models, GET /health; errors in the API's own form."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from offline_model import MODEL, conversation, stream
from offline_model.wire import FunctionCall, Reply, Request, ToolCall


async def health(_: HttpRequest) -> Response:
    return JSONResponse({"status": "healthy", "model": MODEL})


async def models(_: HttpRequest) -> Response:
    return JSONResponse({"object": "list", "data": [_model()]})


async def model(request: HttpRequest) -> Response:
    name = request.path_params["name"]
    return JSONResponse(_model()) if name == MODEL else _unknown_model(name)


async def completions(http: HttpRequest) -> Response:
    body = await http.body()
    try:
        request = Request.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        return _error(400, f"{where}: {first['msg']}", "invalid_request_error", param=where)
    if request.model != MODEL:
        return _unknown_model(request.model)
    if unsupported := _unsupported(request):
        return _error(400, unsupported, "invalid_request_error", code="unsupported_value")
    reply = conversation.answer(request, datetime.now(UTC).date())
    return _answer(request, reply, hashlib.sha256(body).hexdigest()[:24])


def _unsupported(request: Request) -> str:
    """Why a request cannot be honoured; an empty string where it can."""
    if request.n != 1:
        return "The offline model gives one choice: n must be 1."
    if request.tool_choice not in ("auto", "none"):
        return "The offline model decides about tools itself: tool_choice must be auto or none."
    if (request.response_format or {}).get("type", "text") != "text":
        return "The offline model answers in plain text: response_format must be text."
    return ""


def _answer(request: Request, reply: Reply, identity: str) -> Response:
    """The reply, whole or streamed; ids come from the request, so that equal requests get equal answers."""
    calls = []
    if reply.call:
        arguments = json.dumps(reply.call.arguments, ensure_ascii=False)
        calls = [
            ToolCall(id=f"call_{identity}", function=FunctionCall(name=reply.call.name, arguments=arguments))
        ]
    head: dict[str, Any] = {
        "id": f"chatcmpl-{identity}",
        "object": "chat.completion.chunk" if request.stream else "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "system_fingerprint": None,
    }
    usage = _usage(request, reply)
    if request.stream:
        asked = request.stream_options is not None and request.stream_options.include_usage
        return StreamingResponse(
            stream.events(head, reply, calls, usage if asked else None),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-cache"},
        )
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if calls:
        message["tool_calls"] = [call.model_dump() for call in calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    return JSONResponse({**head, "choices": [choice], "usage": usage})


def _usage(request: Request, reply: Reply) -> dict[str, int]:
    """Words stand for tokens: good enough to see that the figures move."""
    prompt = sum(len(message.text.split()) for message in request.messages)
    completion = len(reply.text.split()) + (1 + len(reply.call.arguments) if reply.call else 0)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}


def _unknown_model(name: str) -> Response:
    message = f"The model '{name}' does not exist: only '{MODEL}' is served here."
    return _error(404, message, "invalid_request_error", param="model", code="model_not_found")


def _error(
    status: int, message: str, kind: str, *, param: str | None = None, code: str | None = None
) -> Response:
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


async def _http_error(request: HttpRequest, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _error(
        status, f"{request.method} {request.url.path}: no such resource here", "invalid_request_error"
    )


app = Starlette(
    routes=[
        Route("/health", health),
        Route("/v1/models", models),
        Route("/v1/models/{name}", model),
        Route("/v1/chat/completions", completions, methods=["POST"]),
    ],
    exception_handlers={HTTPException: _http_error},
)
