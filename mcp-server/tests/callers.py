"""People who call the tools through the MCP client library, as the backend does for them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
import jwt
from harness.postgres import Database
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

SIGNING_KEY = "signing-key-of-the-tests-" + "0123456789" * 4


def variables(database: Database) -> dict[str, str]:
    patient = dict.fromkeys(("DATABASE_CONNECT_TIMEOUT", "DATABASE_COMMAND_TIMEOUT"), "60")
    return {"DATABASE_URL": database.url("todo_mcp"), "MCP_SIGNING_KEY": SIGNING_KEY, **patient}


def token(user_id: str, *, key: str = SIGNING_KEY, algorithm: str = "HS256", **claims: Any) -> str:
    """What the backend signs; `claims` replace or, when None, remove single ones."""
    now = int(time.time())
    whole = {"iss": "todo-backend", "aud": "todo-mcp-server", "sub": user_id, "iat": now, "exp": now + 60}
    whole |= claims
    return jwt.encode({name: value for name, value in whole.items() if value is not None}, key, algorithm)


class Caller:
    """A signed-up user, acting through the MCP client library as the backend would."""

    def __init__(self, database: Database, url: str) -> None:
        self.id = uuid4().hex
        self.url = f"{url}/mcp"
        database.rows(
            'INSERT INTO "user" (id, name, email) VALUES ($1, $2, $3)',
            self.id,
            "A Person",
            f"{self.id}@example.org",
            role="todo_frontend",
        )

    @asynccontextmanager
    async def session(self, request_id: str) -> AsyncIterator[ClientSession]:
        headers = {"Authorization": f"Bearer {token(self.id)}", "X-Request-ID": request_id}
        async with (
            httpx2.AsyncClient(
                headers=headers, timeout=120, limits=httpx2.Limits(max_keepalive_connections=0)
            ) as http,
            streamable_http_client(self.url, http_client=http) as streams,
            ClientSession(streams[0], streams[1]) as session,
        ):
            await session.initialize()
            yield session

    def call(self, name: str, *, request_id: str = "test", **arguments: Any) -> CallToolResult:
        async def once() -> CallToolResult:
            async with self.session(request_id) as session:
                result = await session.call_tool(name, arguments)
                assert isinstance(result, CallToolResult)
                return result

        return asyncio.run(once())

    def done(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The structured result of a call that must succeed."""
        result = self.call(name, **arguments)
        assert not result.is_error, result.content
        content: dict[str, Any] = result.structured_content
        assert content["success"] is True
        return content

    def refused(self, name: str, **arguments: Any) -> str:
        """The text of a call that must fail."""
        result = self.call(name, **arguments)
        assert result.is_error, result.structured_content
        return " ".join(getattr(block, "text", "") for block in result.content)
