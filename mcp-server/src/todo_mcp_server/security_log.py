"""Refused requests, one line each: who and where is not written down, the request's id leads on."""

import re

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

_EVENTS = {401: "unauthenticated", 403: "forbidden", 413: "body_refused", 421: "foreign_host"}
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RefusalLogMiddleware:
    """Logs the answers that refuse."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _EVENTS:
                given = Headers(scope=scope).get("x-request-id", "")
                request_id = given if _ACCEPTED.fullmatch(given) else "-"
                status = message["status"]
                log.warning(_EVENTS[status], security=True, status=status, request_id=request_id)
            await send(message)

        await self._app(scope, receive, heard)
