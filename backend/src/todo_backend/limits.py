"""Bounds on what one user or one request may ask of the process."""

import math
import time

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo_backend.security_log import refused

_USERS = 10_000
"""So many are remembered; those who have not asked for the longest time are forgotten first."""


class RateLimit:
    """A bucket for each user: `per_minute` requests at once, and as many again over each minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, user_id: str, now: float | None = None) -> float:
        """Count one request; the seconds to wait when there were too many, else 0.

        `now` is in seconds on any steady clock, the process's by default.
        """
        if not self._per_minute:
            return 0
        now = time.monotonic() if now is None else now
        left, since = self._buckets.pop(user_id, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - since) * self._per_minute / 60)
        passes = left >= 1
        self._buckets[user_id] = (left - 1 if passes else left, now)
        if len(self._buckets) > _USERS:
            del self._buckets[next(iter(self._buckets))]
        return 0 if passes else (1 - left) * 60 / self._per_minute

    def check(self, user_id: str) -> None:
        """Count one request.

        Raises:
            HTTPException: 429 when there were too many, with `Retry-After`.
        """
        if seconds := self.wait(user_id):
            refused("rate_limited", 429)
            after = str(math.ceil(seconds))
            raise HTTPException(429, f"Too many requests. Please wait {after}s.", {"Retry-After": after})


class BodyLimitMiddleware:
    """Answers 413 to bodies that are too large, whether they say so or only turn out to be."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._text = f"The request is too large: at most {max_bytes} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > self._max_bytes:
            refused("body_refused", 413)
            await JSONResponse({"detail": self._text}, 413)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_bytes:
                refused("body_refused", 413)
                raise HTTPException(413, self._text)
            return message

        await self._app(scope, counted, send)
