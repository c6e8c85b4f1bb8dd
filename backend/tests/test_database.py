"""The way to PostgreSQL: TLS as the URL says, and attempts that end."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from harness.postgres import Database, make_certificate
from harness.processes import free_port
from sqlalchemy import text

from todo_backend import database as database_module
from todo_backend.config import DatabaseSettings
from todo_backend.database import DatabaseUnavailableError, create_engine, greet


def ask(url: str, statement: str, **settings: float) -> object:
    """The single value of a statement over a new engine."""

    async def once() -> object:
        engine = create_engine(DatabaseSettings.model_validate({"database_url": url, **settings}))
        try:
            async with engine.connect() as connection:
                return (await connection.execute(text(statement))).scalar_one()
        finally:
            await engine.dispose()

    return asyncio.run(once())


def test_the_connection_is_encrypted_and_named(database: Database) -> None:
    url = database.url("todo_backend")
    assert ask(url, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True
    assert ask(url, "SELECT current_setting('application_name')") == "todo-backend"


def test_another_host_name_or_authority_is_refused(database: Database, tmp_path: Path) -> None:
    stranger, _ = make_certificate(tmp_path)
    for url in (
        database.url("todo_backend", host="localhost"),
        database.url("todo_backend", authority=stranger),
    ):
        with pytest.raises(DatabaseUnavailableError, match="SSLCertVerificationError"):
            ask(url, "SELECT 1")


def test_attempts_end(database: Database) -> None:
    nobody = replace(database, port=free_port()).url("todo_backend")
    with pytest.raises(DatabaseUnavailableError, match="ConnectionRefusedError"):
        ask(nobody, "SELECT 1", database_connect_attempts=2)


def test_a_wrong_password_is_not_tried_again(database: Database) -> None:
    wrong = database.url("todo_backend").replace("only-for-this-test", "wrong")
    with pytest.raises(DatabaseUnavailableError, match="InvalidPasswordError"):
        ask(wrong, "SELECT 1", database_connect_attempts=10)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[structlog.testing.CapturedCall]:
    """What this module logs, whatever the logs of the process were set to."""
    logger = structlog.testing.CapturingLogger()
    monkeypatch.setattr(database_module, "log", logger)
    return logger.calls


def test_pauses_double_and_all_attempts_end_within_thirty_seconds(
    database: Database, told: list[structlog.testing.CapturedCall]
) -> None:
    nobody = replace(database, port=free_port()).url("todo_backend")
    settings = DatabaseSettings.model_validate({"database_url": nobody})
    asyncio.run(greet(create_engine(settings)))
    retries = [
        (call.kwargs["attempt"], call.kwargs["pause_seconds"])
        for call in told
        if call.args == ("database_retry",)
    ]
    assert retries == [(1, 0.5), (2, 1.0), (3, 2.0)]
    assert told[-1].args == ("database_unavailable",)
    attempts = settings.database_connect_attempts
    assert attempts * settings.database_connect_timeout + sum(pause for _, pause in retries) <= 30


def test_the_first_connection_is_told_with_its_encryption(
    database: Database, told: list[structlog.testing.CapturedCall]
) -> None:
    ask(database.url("todo_backend"), "SELECT 1")
    [call] = [call for call in told if call.args == ("database_connected",)]
    assert (call.kwargs["tls"], call.kwargs["attempt"]) == ("TLSv1.3", 1)
    assert call.kwargs["cipher"]
