"""The way to the MCP server: streamable HTTP, with an identity token made for each message."""

import time
from collections.abc import Generator
from uuid import uuid4

import httpx2
import jwt
from agents.mcp import MCPServerStreamableHttp
from agents.run_context import RunContextWrapper

from todo_backend.config import Settings
from todo_backend.request_context import RequestContext

_ISSUER = "todo-backend"
_AUDIENCE = "todo-mcp-server"
_LIFETIME_SECONDS = 60


def identity_token(user_id: str, zone: str, key: str, now: float | None = None) -> str:
    """A token by which the MCP server knows the user and their time zone; it expires after a minute.

    `now` is in seconds since the epoch, the present by default.
    """
    issued = int(time.time() if now is None else now)
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": user_id,
        "zoneinfo": zone,
        "iat": issued,
        "exp": issued + _LIFETIME_SECONDS,
        # Of this message: a sidecar that repeats it repeats the token.
        "jti": str(uuid4()),
    }
    return jwt.encode(claims, key, algorithm="HS256")


class _Identity(httpx2.Auth):
    """Signs each HTTP message anew, so that a long turn never carries an expired token."""

    def __init__(self, user_id: str, zone: str, key: str) -> None:
        self._user_id = user_id
        self._zone = zone
        self._key = key

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
        request.headers["Authorization"] = f"Bearer {identity_token(self._user_id, self._zone, self._key)}"
        yield request


def _failed(_: RunContextWrapper[object], error: Exception) -> str:
    """What the model is told when a tool could not be reached: no address, no internals."""
    return f"The tool did not answer ({type(error).__name__}). Tell the user that this did not work."


def task_tools(
    settings: Settings, user_id: str, zone: str, request: RequestContext
) -> MCPServerStreamableHttp:
    """The task tools for one turn of one user; open it as an asynchronous context."""
    return MCPServerStreamableHttp(
        params={
            "url": str(settings.mcp_server_url),
            "headers": request.headers(),
            "auth": _Identity(user_id, zone, settings.mcp_signing_key.get_secret_value()),
            "timeout": settings.mcp_timeout,
            "sse_read_timeout": settings.mcp_timeout,
            "terminate_on_close": False,  # the server keeps no sessions
        },
        name="todo",
        cache_tools_list=True,
        client_session_timeout_seconds=settings.mcp_timeout,
        use_structured_content=True,
        failure_error_function=_failed,
    )
