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

from offline_model import MODEL, choice, faults, stream
from offline_model.faults import error
from offline_model.wire import FunctionCall, Reply, Request, ToolCall

SINCE = 1767225600
"""When the model was made, in seconds since the epoch, as the model's object tells it: a constant."""


async def health(_: HttpRequest) -> Response:
    return JSONResponse({"status": "healthy", "model": MODEL})


async def models(http: HttpRequest) -> Response:
    fault = faults.ordered(http.headers.get(faults.FAULT_HEADER))
    return fault or JSONResponse({"object": "list", "data": [_model()]})


async def model(request: HttpRequest) -> Response:
    name = request.path_params["name"]
    return JSONResponse(_model()) if name == MODEL else _unknown_model(name)


async def completions(http: HttpRequest) -> Response:
    body = await http.body()
    identity = hashlib.sha256(body).hexdigest()[:24]
    answer = faults.ordered(http.headers.get(faults.FAULT_HEADER)) or _completed(body, identity)
    answer.headers["x-request-id"] = f"req_{identity}"
    return answer


def _completed(body: bytes, identity: str) -> Response:
    try:
        request = Request.model_validate_json(body)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        return error(400, f"{where}: {first['msg']}", param=where)
    if request.model != MODEL:
        return _unknown_model(request.model)
    if unsupported := _unsupported(request):
        return error(400, unsupported, code="unsupported_value")
    try:
        reply = choice.reply(request, datetime.now(UTC).date())
    except choice.ChoiceError as refused:
        return error(400, str(refused), param="tool_choice", code="invalid_value")
    return _answer(request, reply, identity)


def _unsupported(request: Request) -> str:
    """Why a request cannot be honoured; an empty string where it can."""
    if request.n != 1:
        return "The offline model gives one choice: n must be 1."
    if (request.response_format or {}).get("type", "text") != "text":
        return "The offline model answers in plain text: response_format must be text."
    if request.stream_options is not None and not request.stream:
        return "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    return ""


def _answer(request: Request, reply: Reply, identity: str) -> Response:
    """The reply, whole or streamed; ids come from the request, so that equal requests get equal answers."""
    calls = [
        ToolCall(
            id=f"call_{identity[:22]}{index:02d}",
            function=FunctionCall(name=call.name, arguments=json.dumps(call.arguments, ensure_ascii=False)),
        )
        for index, call in enumerate(reply.calls)
    ]
    head: dict[str, Any] = {
        "id": f"chatcmpl-{identity}",
        "object": "chat.completion.chunk" if request.stream else "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "service_tier": "default",
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
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.text or None,
        "refusal": None,
        "annotations": [],
    }
    if calls:
        message["tool_calls"] = [call.model_dump() for call in calls]
    chosen = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    return JSONResponse({**head, "choices": [chosen], "usage": usage})


def _usage(request: Request, reply: Reply) -> dict[str, Any]:
    """Words stand for tokens: good enough to see that the figures move."""
    prompt = sum(len(message.text.split()) for message in request.messages)
    completion = len(reply.text.split()) + sum(1 + len(call.arguments) for call in reply.calls)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": SINCE, "owned_by": MODEL}


def _unknown_model(name: str) -> Response:
    message = f"The model '{name}' does not exist: only '{MODEL}' is served here."
    return error(404, message, param="model", code="model_not_found")


async def _http_error(request: HttpRequest, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    return error(status, f"{request.method} {request.url.path}: no such resource here")


app = Starlette(
    routes=[
        Route("/health", health),
        Route("/v1/models", models),
        Route("/v1/models/{name}", model),
        Route("/v1/chat/completions", completions, methods=["POST"]),
    ],
    exception_handlers={HTTPException: _http_error},
)
