"""Secrets: generated once, kept, complete, matched with the database; nothing readable anywhere else."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pydantic import SecretStr

from runbook.actions.security import secrets
from runbook.app.secrets import secret_data
from runbook.app.secrets.authority import certify, good
from runbook.engine.redaction import redact
from runbook.engine.settings import Settings, load
from tests.fakes.worlds import FakeApi, Object, world_of


def content(api: FakeApi, name: str = "todo-secrets", namespace: str = "todo") -> dict[str, str]:
    found = api.get("Secret", name, namespace)
    assert found
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def change(api: FakeApi, key: str, value: str | None) -> None:
    data = api.objects["Secret", "todo", "todo-secrets"]["data"]
    if value is None:
        del data[key]
    else:
        data[key] = base64.b64encode(value.encode()).decode()


def test_everything_is_made_at_first_and_nothing_is_written_again() -> None:
    api = FakeApi()
    world = world_of(Settings(), api=api)
    secrets.ensure(world)
    assert secret_data.problems(world) == []
    assert set(content(api)) == set(secret_data.KEYS)
    writes = list(api.written)
    before = content(api)
    secrets.ensure(world)
    assert api.written == writes
    assert content(api) == before


def test_each_service_signs_in_with_a_role_of_its_own_and_checks_the_server() -> None:
    api = FakeApi()
    secrets.ensure(world_of(Settings(), api=api))
    roles = content(api, "postgres-roles", "todo-database")
    for key, role in secret_data.URL_ROLES.items():
        url = urlsplit(content(api)[key])
        assert url.username == role
        assert unquote(url.password or "") == roles[role]
        assert url.hostname == "postgres.todo-database.svc.cluster.local"
        assert url.query == "sslmode=verify-full&sslrootcert=/etc/todo/database-ca/ca.crt"
    assert len(set(roles.values())) == 4


def test_a_missing_key_is_named_and_made_again_without_touching_the_others() -> None:
    api = FakeApi()
    world = world_of(Settings(), api=api)
    secrets.ensure(world)
    before = content(api)
    change(api, "openai-api-key", None)
    assert secret_data.problems(world) == ["Secret todo-secrets lacks the key openai-api-key"]
    secrets.ensure(world)
    assert secret_data.problems(world) == []
    assert {key: value for key, value in content(api).items() if key != "openai-api-key"} == {
        key: value for key, value in before.items() if key != "openai-api-key"
    }


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("better-auth-secret", "short", "has less than 32 characters"),
        ("mcp-signing-key", "m" * 40 + "\n", "has white space around its value"),
        (
            "database-url",
            "postgresql://todo_backend:other@elsewhere/todo",
            "does not sign in as the database's role",
        ),
    ],
)
def test_unusable_values_are_told_by_key_and_repaired(key: str, value: str, words: str) -> None:
    api = FakeApi()
    world = world_of(Settings(), api=api)
    secrets.ensure(world)
    change(api, key, value)
    told = secret_data.problems(world)
    assert len(told) == 1
    assert key in told[0]
    assert words in told[0]
    assert value.strip() not in told[0]
    secrets.ensure(world)
    assert secret_data.problems(world) == []


def test_a_real_database_and_model_take_the_place_of_the_stand_ins() -> None:
    api = FakeApi()
    url = "postgresql://me:pw@db.example.test/todo?sslmode=verify-full"
    world = world_of(
        Settings(database_url=SecretStr(url), openai_api_key=SecretStr("sk-of-the-user")), api=api
    )
    secrets.ensure(world)
    assert content(api)["database-url"] == url
    assert content(api)["openai-api-key"] == "sk-of-the-user"
    assert secret_data.problems(world) == []
    assert api.get("Secret", "postgres-roles", "todo-database") is None


def test_the_digest_changes_with_the_content_and_tells_nothing_of_it() -> None:
    api = FakeApi()
    world = world_of(Settings(), api=api)
    assert secret_data.digest(world, "todo-secrets", "todo") == ""
    secrets.ensure(world)
    before = secret_data.digest(world, "todo-secrets", "todo")
    assert before == secret_data.digest(world, "todo-secrets", "todo")
    change(api, "openai-api-key", "another-key")
    assert secret_data.digest(world, "todo-secrets", "todo") != before


def test_what_was_made_is_concealed_from_then_on() -> None:
    api = FakeApi()
    secrets.ensure(world_of(Settings(), api=api))
    for value in content(api).values():
        assert value not in redact(f"it said {value}")


def test_a_certificate_that_ends_soon_or_names_another_host_is_replaced() -> None:
    api = FakeApi()
    world = world_of(Settings(), api=api)
    secrets.ensure(world)
    other = certify(["elsewhere.example.test"])
    tls: Object = api.objects["Secret", "todo-database", "postgres-tls"]
    tls["data"] = {
        key: base64.b64encode(text.encode()).decode()
        for key, text in {
            "tls.crt": other.certificate,
            "tls.key": other.key,
            "ca.crt": other.authority,
        }.items()
    }
    assert "holds no good certificate" in secret_data.problems(world)[0]
    secrets.ensure(world)
    assert secret_data.problems(world) == []


def test_the_application_trusts_exactly_the_database_authority() -> None:
    api = FakeApi()
    world = world_of(Settings(), api=api)
    secrets.ensure(world)
    api.objects["ConfigMap", "todo", "todo-database-ca"]["data"]["ca.crt"] = certify(["x"]).authority
    assert "is not the authority of the database's certificate" in secret_data.problems(world)[0]
    secrets.ensure(world)
    assert secret_data.problems(world) == []


def test_a_certificate_is_good_only_for_its_names_and_its_authority() -> None:
    made, other = certify(["a.test", "b.test"]), certify(["a.test", "b.test"])
    assert good(made.authority, made.certificate, ["b.test"])
    assert not good(made.authority, made.certificate, ["c.test"])
    assert not good(other.authority, made.certificate, ["a.test"])
    assert not good("", "", ["a.test"])


def test_the_authority_of_a_users_database_is_where_all_services_read_it(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_text(certify(["db.example.net"]).authority)
    url = f"postgresql://a:b@db.example.net/todo?sslmode=verify-full&sslrootcert={file}"
    api = FakeApi()
    world = world_of(load({}, {}, {"TODO_DATABASE_URL": url}), api=api)
    secrets.ensure(world)
    assert secret_data.problems(world) == []
    assert api.objects["ConfigMap", "todo", "todo-database-ca"]["data"]["ca.crt"] == file.read_text()
    assert content(api)["frontend-database-url"].endswith("&sslrootcert=/etc/todo/database-ca/ca.crt")
    writes = list(api.written)
    secrets.ensure(world)
    assert api.written == writes
    api.objects["ConfigMap", "todo", "todo-database-ca"]["data"]["ca.crt"] = "another"
    (problem,) = secret_data.problems(world)
    assert "is not the authority of the file" in problem
