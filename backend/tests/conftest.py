"""The real surroundings: PostgreSQL, the MCP server and the API as processes, a scripted model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.model import ScriptedModel, scripted_model
from harness.postgres import Database, migrated, server
from harness.processes import BACKEND, MCP_SERVER, Service, executable, service
from people import SIGNING_KEY, Person, backend_variables


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    with server() as maintenance:
        yield maintenance


@pytest.fixture(scope="session")
def database(postgres: Database) -> Database:
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
