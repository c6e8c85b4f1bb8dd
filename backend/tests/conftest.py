"""The real surroundings: PostgreSQL, the MCP server and the API as processes, a scripted model."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx2
import pytest
from harness.model import ScriptedModel, scripted_model
from harness.postgres import Database, migrated, server
from harness.processes import BACKEND, MCP_SERVER, Service, executable, service

AUTH_SECRET = "auth-secret-of-the-tests-0123456789"
SIGNING_KEY = "signing-key-of-the-tests-0123456789"
API_KEY = "sk-test-0123456789abcdef"


@pytest.fixture(scope="session")
def postgres() -> Iterator[int]:
    with server() as port:
        yield port


@pytest.fixture(scope="session")
def database(postgres: int) -> Database:
    return migrated(postgres, "todo")


@pytest.fixture(scope="session")
def scripted() -> Iterator[ScriptedModel]:
    with scripted_model() as model:
        yield model


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def mcp_server(database: Database, logs: Path) -> Iterator[Service]:
    variables = {"DATABASE_URL": database.url("todo_mcp"), "MCP_SIGNING_KEY": SIGNING_KEY}
    command = [executable(MCP_SERVER, "todo-mcp-server")]
    with service(command, variables, logs / "mcp-server.log") as running:
        yield running


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
    }


@pytest.fixture(scope="session")
def backend(
    database: Database, mcp_server: Service, scripted: ScriptedModel, logs: Path
) -> Iterator[Service]:
    variables = backend_variables(database, mcp_server.url, scripted.url)
    with service([executable(BACKEND, "todo-backend")], variables, logs / "backend.log") as running:
        yield running


@pytest.fixture
def model(scripted: ScriptedModel) -> ScriptedModel:
    scripted.steps()
    return scripted


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
        self.http = httpx2.Client(
            base_url=f"{base_url}/api/{self.id}/",
            headers={"Cookie": f"better-auth.session_token={self.cookie}"},
            timeout=60,
        )


@pytest.fixture
def alice(database: Database, backend: Service) -> Iterator[Person]:
    person = Person(database, backend.url)
    with person.http:
        yield person


@pytest.fixture
def bob(database: Database, backend: Service) -> Iterator[Person]:
    person = Person(database, backend.url)
    with person.http:
        yield person
