"""Login roles of the running stand-in: let in by standard input, shut out, and mended only where they are refused."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from runbook.actions.database import roles
from runbook.engine.errors import CommandFailed, Unmeasurable
from runbook.engine.settings import Settings
from tests.fakes.stored import content, make


def test_passwords_go_by_standard_input_and_in_no_argument() -> None:
    world, api, _ = make()
    roles.let_in(world, "todo_backend_b", "of-the-new-one")
    argv, stdin = api.ran[-1]
    assert stdin == "of-the-new-one\n"
    assert not any("of-the-new-one" in word for word in argv)
    assert api.may["todo_backend_b"] == "of-the-new-one"
    assert api.guards


def test_who_is_shut_out_may_not_sign_in() -> None:
    world, api, _ = make()
    roles.shut_out(world, "todo_mcp")
    assert set(api.may) == {"todo_owner", "todo_backend", "todo_frontend"}


def test_nothing_is_written_where_the_server_takes_them_all() -> None:
    world, api, _ = make()
    roles.mend(world)
    assert api.ran == []


def test_a_role_that_is_refused_is_let_in_with_the_secrets_password() -> None:
    world, api, _ = make()
    api.may["todo_backend"] = "another"
    roles.mend(world)
    assert api.may == content(api, "postgres-roles", "todo-database")
    assert len(api.ran) == 1


def test_a_database_outside_is_left_alone() -> None:
    world, api, _ = make(Settings(database_url=SecretStr("postgresql://me:pw-of-me@db.example.test/todo")))
    roles.mend(world)
    assert api.ran == []


def test_a_failing_psql_and_a_missing_server_are_told() -> None:
    world, api, _ = make()
    api.broken = "psql: error: role does not exist"
    with pytest.raises(CommandFailed, match="role does not exist"):
        roles.administer(world, "SELECT 1")
    del api.objects["Pod", "todo-database", "postgres-0"]
    with pytest.raises(Unmeasurable, match="the database has no pod"):
        roles.administer(world, "SELECT 1")
