"""DATABASE_URL as asyncpg gets it: the table that all services share, and a real server with TLS."""

import asyncio
import ssl
from typing import Any

import asyncpg
import pytest
from harness.postgres import Database
from harness.urls import ACCEPTED, REFUSED, shown
from pydantic import ValidationError

from todo_backend.config import DatabaseSettings
from todo_backend.database_url import driver_arguments

PLAIN = "postgresql://a:b@db.example.net/todo"


def arguments(url: str) -> dict[str, Any]:
    return driver_arguments(url, application="test", timeout=5)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["url"])
def test_what_all_services_can_carry_out_reaches_the_driver(case: dict[str, Any]) -> None:
    found = arguments(case["url"])
    assert (found["user"], found["password"], found["host"]) == (case["role"], case["password"], case["host"])
    assert (found["port"] or 5432, found["database"]) == (case["port"], case["database"])
    options = {"options": case["options"]} if "options" in case else {}
    assert found["server_settings"] == {"application_name": "test", **options}
    assert found["timeout"] == case.get("connect_timeout", 5)
    assert found["ssl"].verify_mode == (ssl.CERT_NONE if case["sslmode"] == "require" else ssl.CERT_REQUIRED)
    assert found["ssl"].check_hostname == (case["sslmode"] == "verify-full")


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["url"])
def test_the_rest_is_refused_by_its_word_at_the_start(case: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        DatabaseSettings.model_validate({"database_url": case["url"]})
    assert case["word"] in str(caught.value)
    assert not [part for part in shown(case["url"]) if part in str(caught.value)]


def test_without_sslmode_and_with_disable_it_is_as_the_driver_has_it() -> None:
    assert arguments(PLAIN)["ssl"] == "prefer"
    assert arguments(f"{PLAIN}?sslmode=disable")["ssl"] is False


def test_white_space_around_a_url_is_not_of_it() -> None:
    settings = DatabaseSettings.model_validate({"database_url": f" {PLAIN}\r\n"})
    assert settings.database_url.get_secret_value() == PLAIN


def connected(url: str) -> str:
    """The search path that a real server gives to a connection with TLS."""

    async def ask() -> str:
        connection = await asyncpg.connect(**arguments(url))
        try:
            assert await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            return str(await connection.fetchval("SHOW search_path"))
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "parameters",
    [
        "sslmode=require&channel_binding=require",
        "sslmode=require&channel_binding=prefer&connect_timeout=5",
        "sslmode=require&sslrootcert={authority}",
        "sslmode=verify-ca&sslrootcert={authority}",
        "sslmode=verify-full&sslrootcert={authority}&channel_binding=require",
    ],
)
def test_a_real_server_takes_each_accepted_form(database: Database, parameters: str) -> None:
    url = database.url("todo_backend").partition("?")[0]
    options = "&options=-c%20search_path%3Done%2Ctwo"
    assert connected(f"{url}?{parameters.format(authority=database.authority)}{options}") == "one,two"


def test_verify_full_trusts_the_systems_authorities(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = database.url("todo_backend").partition("?")[0]
    for parameters in ("sslmode=verify-full", "sslmode=verify-full&sslrootcert=system"):
        with pytest.raises(ssl.SSLCertVerificationError):
            connected(f"{url}?{parameters}")
        monkeypatch.setenv("SSL_CERT_FILE", str(database.authority))
        assert connected(f"{url}?{parameters}")
        monkeypatch.delenv("SSL_CERT_FILE")
