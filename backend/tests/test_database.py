"""The way to PostgreSQL: TLS as the URL says, and attempts that end."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from harness.postgres import Database, make_certificate
from harness.processes import free_port
from sqlalchemy import text

from todo_backend.config import DatabaseSettings
from todo_backend.database import DatabaseUnavailableError, create_engine


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
