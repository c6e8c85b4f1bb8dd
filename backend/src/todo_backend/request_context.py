"""The ids of a request and of its trace: taken from the caller or made here, logged and handed on."""

import re
import secrets
import time
from dataclasses import dataclass
from typing import Self
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")
_PROBES = frozenset({"/health", "/ready"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RequestContext:
    """What ties the log lines of all services to one request of a person."""

    request_id: str
    trace_id: str
    """32 hexadecimal digits, as W3C Trace Context defines them."""
    flags: str
    span_id: str
    """This service's part of the trace: 16 hexadecimal digits."""

    @classmethod
    def of(cls, headers: Headers) -> Self:
        """The ids that came with a request; those that are absent or malformed are made."""
        given = headers.get(HEADER, "")
        trace = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
        trace_id, flags = (trace[1], trace[2]) if trace else (secrets.token_hex(16), "01")
        request_id = given if _ACCEPTED.fullmatch(given) else uuid4().hex
        return cls(request_id, trace_id, flags, secrets.token_hex(8))

    def headers(self) -> dict[str, str]:
        """What the next service is told."""
        return {HEADER: self.request_id, "traceparent": f"00-{self.trace_id}-{self.span_id}-{self.flags}"}


class RequestContextMiddleware:
    """Gives each request its ids and one log line; turns an unforeseen error into a plain 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = RequestContext.of(Headers(scope=scope))
        scope.setdefault("state", {})["context"] = context
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = context.request_id
            await send(message)

        ids = {"request_id": context.request_id, "trace_id": context.trace_id}
        with structlog.contextvars.bound_contextvars(**ids):
            try:
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                log.info("client_gone")
            except Exception as error:
                log.exception("unforeseen_error", exc_info=error)
                if status:  # the answer has begun; the server closes the connection
                    raise
                answer = JSONResponse({"detail": "Something went wrong on our side."}, 500)
                await answer(scope, receive, send_with_id)
            finally:
                if scope["path"] not in _PROBES:
                    log.info(
                        "request",
                        method=scope["method"],
                        path=scope["path"],
                        status=status,
                        duration_ms=round((time.perf_counter() - started) * 1000, 1),
                    )
