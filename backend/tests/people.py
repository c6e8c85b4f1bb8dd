"""People with accounts and sessions, and the settings that their backend runs with."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import uuid4

import httpx2
from harness.postgres import Database

AUTH_SECRET = "auth-secret-of-the-tests-0123456789"
SIGNING_KEY = "signing-key-of-the-tests-0123456789"
API_KEY = "sk-test-0123456789abcdef"
_UNLIMITED = (
    *("API_REQUESTS_PER_MINUTE", "CHAT_REQUESTS_PER_MINUTE"),
    *("CHAT_REQUESTS_PER_DAY", "CHAT_REQUESTS_PER_DAY_IN_ALL"),
)
_PATIENT = (
    *("MCP_TIMEOUT", "MODEL_TIMEOUT", "READY_TIMEOUT"),
    *("DATABASE_CONNECT_TIMEOUT", "DATABASE_COMMAND_TIMEOUT", "DATABASE_POOL_TIMEOUT"),
)
"""A busy machine is no failure; what these bound has cases of its own."""


def backend_variables(database: Database, mcp_url: str, model_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database.url("todo_backend"),
        "BETTER_AUTH_SECRET": AUTH_SECRET,
        "MCP_SIGNING_KEY": SIGNING_KEY,
        "MCP_SERVER_URL": f"{mcp_url}/mcp",
        "OPENAI_API_KEY": API_KEY,
        "OPENAI_BASE_URL": model_url,
        "OPENAI_MODEL": "scripted",
        "FRONTEND_URL": "http://todo.local",
        **dict.fromkeys(_PATIENT, "60"),
        **dict.fromkeys(_UNLIMITED, "0"),
    }


def signed_cookie(token: str, secret: str = AUTH_SECRET) -> str:
    signature = hmac.digest(secret.encode(), token.encode(), hashlib.sha256)
    return quote(f"{token}.{base64.b64encode(signature).decode()}", safe="")


class Person:
    """A signed-up user with a session, and a client that carries its cookie."""

    def __init__(
        self, database: Database, base_url: str, *, valid_for: timedelta = timedelta(hours=1)
    ) -> None:
        self.id = uuid4().hex
        self.token = uuid4().hex
        database.rows(
            'INSERT INTO "user" (id, name, email) VALUES ($1, $2, $3)',
            self.id,
            "A Person",
            f"{self.id}@example.org",
            role="todo_frontend",
        )
        database.rows(
            'INSERT INTO session (id, token, "expiresAt", "userId") VALUES ($1, $2, $3, $4)',
            uuid4().hex,
            self.token,
            datetime.now(UTC) + valid_for,
            self.id,
            role="todo_frontend",
        )
        self.cookie = signed_cookie(self.token)
        self.http = self.at(base_url)
        self.other = self.http

    def at(self, base_url: str) -> httpx2.Client:
        """A client of this person for the API at `base_url`."""
        return httpx2.Client(
            base_url=f"{base_url}/api/{self.id}/",
            headers={"Cookie": f"better-auth.session_token={self.cookie}"},
            timeout=300,
            verify=False,  # plain HTTP; reading the system's authorities costs time for each client
            # A pause of the test must not meet a connection that the server just closed as idle.
            limits=httpx2.Limits(max_keepalive_connections=0),
        )
