"""The real surroundings: PostgreSQL with the backend's schema, the server as a process, the real client."""

from collections.abc import Callable, Iterator

import pytest
from callers import Caller, variables
from harness.postgres import Database, migrated, server
from harness.processes import MCP_SERVER, Service, executable, service


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    with server() as maintenance:
        yield maintenance


@pytest.fixture(scope="session")
def database(postgres: Database) -> Database:
    return migrated(postgres, "todo")


@pytest.fixture(scope="session")
def running(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("logs") / "mcp-server.log"
    with service([executable(MCP_SERVER, "todo-mcp-server")], variables(database), log) as started:
        yield started


@pytest.fixture
def caller(database: Database, running: Service) -> Callable[[], Caller]:
    return lambda: Caller(database, running.url)


@pytest.fixture
def alice(caller: Callable[[], Caller]) -> Caller:
    return caller()


@pytest.fixture
def bob(caller: Callable[[], Caller]) -> Caller:
    return caller()
