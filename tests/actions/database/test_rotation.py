"""Rotation: one name to the other and back; killed between any two stages, it goes on where it stood."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from runbook.actions.database import rotation
from runbook.actions.package import release
from runbook.actions.security import secrets
from runbook.app.secrets import secret_data
from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable
from runbook.engine.settings import Settings
from runbook.world import World
from tests.fakes.stored import Database, Server, content, made_anew, make

SERVICES = ("todo_backend", "todo_frontend", "todo_mcp")


@pytest.fixture
def rolled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was brought and waited for."""
    calls: list[str] = []

    def bring(world: World) -> None:
        calls.append("bring")
        made_anew(world)

    monkeypatch.setattr(release, "bring", bring)
    monkeypatch.setattr(release, "wait", lambda _: calls.append("wait"))
    return calls


def users(api: Server) -> dict[str, str]:
    return {key: str(urlsplit(content(api)[key]).username) for key in secret_data.URL_ROLES}


def rotate(world: World) -> rotation.Rotation:
    turned = rotation.begin(world)
    for stage in rotation.STAGES:
        stage(world, turned)
    return turned


def settled(world: World, api: Server, database: Database, names: set[str]) -> None:
    """Exactly these may sign in, the Secrets agree, and nothing is under way."""
    roles = content(api, "postgres-roles", "todo-database")
    assert set(roles) == {*names, "todo_owner"}
    assert api.may == roles
    assert set(users(api).values()) == {*names, "todo_owner"}
    assert all(database.refusal(content(api)[key]) == "" for key in secret_data.URL_ROLES)
    assert secret_data.rotating(world) == ""
    assert secret_data.problems(world) == []


def test_it_goes_to_the_other_names_and_back(rolled: list[str]) -> None:
    world, api, database = make()
    first = content(api)
    turned = rotate(world)
    assert not turned.resumed
    settled(world, api, database, {f"{name}_b" for name in SERVICES})
    assert database.refusal(first["database-url"])
    second = content(api)
    rotate(world)
    settled(world, api, database, set(SERVICES))
    assert database.refusal(second["database-url"])
    assert database.refusal(first["database-url"]), "the old password must not come back with the old name"
    kept = ("better-auth-secret", "mcp-signing-key", "openai-api-key", "migration-database-url")
    assert all(content(api)[key] == first[key] for key in kept)
    assert rolled == ["bring", "wait"] * 2


@pytest.mark.parametrize("stages", range(len(rotation.STAGES) + 1))
@pytest.mark.parametrize("again", [False, True])
def test_killed_after_any_stage_it_goes_on_and_the_application_can_always_sign_in(
    stages: int, again: bool, rolled: list[str]
) -> None:
    world, api, database = make()
    turned = rotation.begin(world)
    for stage in rotation.STAGES[:stages]:
        stage(world, turned)
    assert all(database.refusal(content(api)[key]) == "" for key in secret_data.URL_ROLES)
    assert secret_data.problems(world) == []
    if again:  # a deploy in between changes nothing of it
        before = (content(api), content(api, "postgres-roles", "todo-database"), secret_data.rotating(world))
        secrets.ensure(world)
        assert before == (
            content(api),
            content(api, "postgres-roles", "todo-database"),
            secret_data.rotating(world),
        )
    over = stages == len(rotation.STAGES)
    resumed = rotate(world)
    assert resumed.resumed is not over
    settled(world, api, database, set(SERVICES) if over else {f"{name}_b" for name in SERVICES})


def test_a_new_role_that_is_not_taken_ends_it_before_anything_is_changed(rolled: list[str]) -> None:
    world, api, database = make()
    before = content(api)
    turned = rotation.begin(world)
    database.refusal = lambda url: "password authentication failed"  # type: ignore[method-assign]
    with pytest.raises(RunbookError, match="does not take the new role todo_backend_b"):
        rotation.let_in(world, turned)
    assert content(api) == before
    assert rolled == []


def test_sessions_of_old_roles_are_waited_for(monkeypatch: pytest.MonkeyPatch, rolled: list[str]) -> None:
    world, _, database = make()
    monkeypatch.setattr(rotation, "UNUSED", 0.1)
    turned = rotation.begin(world)
    database.answers["pg_stat_activity"] = [{"role": "todo_backend", "sessions": 2}]
    with pytest.raises(TimedOut, match="pod frontend-1 of the old credentials is still there"):
        rotation.await_unused(world, turned)
    made_anew(world)
    with pytest.raises(TimedOut, match="todo_backend has 2 sessions"):
        rotation.await_unused(world, turned)


def test_a_database_outside_is_its_owners_to_change() -> None:
    world, api, _ = make(Settings(database_url=SecretStr("postgresql://me:pw-of-me@db.example.test/todo")))
    with pytest.raises(Unmeasurable, match="the database is outside") as caught:
        rotation.begin(world)
    assert "TODO_DATABASE_URL" in caught.value.hint
    assert api.may == {}
