"""DATABASE_URL as the MCP server takes it: the table that all services share, and a real server with TLS."""

import asyncio
from typing import Any

import pytest
from callers import variables
from harness.postgres import Database
from harness.urls import ACCEPTED, REFUSED, shown
from pydantic import ValidationError

from todo_mcp_server.config import Settings
from todo_mcp_server.database_url import driver_arguments
from todo_mcp_server.tasks import Filter, TaskStore

KEY = "k" * 32


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["url"])
def test_what_all_services_can_carry_out_reaches_the_driver(case: dict[str, Any]) -> None:
    found = driver_arguments(case["url"], application="test", timeout=5)
    assert (found["user"], found["password"], found["host"]) == (case["role"], case["password"], case["host"])
    assert (found["port"] or 5432, found["database"]) == (case["port"], case["database"])
    assert found["server_settings"].get("options") == case.get("options")


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["url"])
def test_the_rest_is_refused_by_its_word_at_the_start(case: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"database_url": case["url"], "mcp_signing_key": KEY})
    assert case["word"] in str(caught.value)
    assert not [part for part in shown(case["url"]) if part in str(caught.value)]


def test_the_pool_connects_with_the_parameters_that_neon_hands_out(database: Database) -> None:
    url = database.url("todo_mcp").partition("?")[0] + "?sslmode=require&channel_binding=require"
    settings = Settings.model_validate(
        {"database_url": url, "mcp_signing_key": variables(database)["MCP_SIGNING_KEY"]}
    )

    async def ask() -> int:
        async with TaskStore.open(settings) as store:
            return (await store.find("nobody", Filter()))[1]

    assert asyncio.run(ask()) == 0
