"""The independent connection: which server, which certificate, which role; and why there is none."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from runbook.clients import database
from runbook.clients.database import Database
from runbook.engine.errors import RunbookError, Unmeasurable, UsageError
from runbook.engine.settings import Settings
from runbook.engine.settings.database_url import read
from tests.fakes.worlds import FakeApi, Object

URL = (
    "postgresql://todo_owner:pw-of-the-owner@postgres.todo-database.svc.cluster.local:5432/todo"
    "?sslmode=verify-full&sslrootcert=/etc/todo/database-ca/ca.crt"
)


class Forwarding(FakeApi):
    forwarded: tuple[str, int, str] | None = None

    @contextmanager
    def port_forward(self, pod: str, port: int, namespace: str) -> Iterator[int]:
        self.forwarded = (pod, port, namespace)
        yield 45678


def secret(url: str) -> Object:
    data = {"migration-database-url": base64.b64encode(url.encode()).decode()}
    return {"kind": "Secret", "metadata": {"name": "todo-secrets", "namespace": "todo"}, "data": data}


AUTHORITY: Object = {
    "kind": "ConfigMap",
    "metadata": {"name": "todo-database-ca", "namespace": "todo"},
    "data": {"ca.crt": "PEM"},
}


def endpoints(ready: bool = True) -> Object:
    return {
        "kind": "EndpointSlice",
        "metadata": {
            "name": "postgres-x",
            "namespace": "todo-database",
            "labels": {"kubernetes.io/service-name": "postgres"},
        },
        "ports": [{"port": 5432}],
        "endpoints": [
            {
                "conditions": {"ready": ready},
                "targetRef": {"kind": "Pod", "name": "postgres-0"},
                "addresses": ["x"],
            }
        ],
    }


def connected(monkeypatch: pytest.MonkeyPatch, error: str = "") -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    @contextmanager
    def connect(**parameters: Any) -> Iterator[object]:
        seen.append(parameters)
        if error:
            raise psycopg.OperationalError(error)
        yield object()

    monkeypatch.setattr(database.psycopg, "connect", connect)
    return seen


def test_the_service_is_reached_by_its_pod_and_proves_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = connected(monkeypatch)
    api = Forwarding(secret(URL), AUTHORITY, endpoints())
    with Database(Settings(), api).connect():  # type: ignore[arg-type]
        pass
    (parameters,) = seen
    assert parameters["host"] == "postgres.todo-database.svc.cluster.local"
    assert (parameters["hostaddr"], parameters["port"]) == ("127.0.0.1", 45678)
    assert parameters["sslmode"] == "verify-full"
    assert parameters["sslrootcert"] == str(Settings().state / "database-ca.crt")
    assert (Settings().state / "database-ca.crt").read_text() == "PEM"
    assert api.forwarded == ("postgres-0", 5432, "todo-database")


def test_a_server_outside_is_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = connected(monkeypatch)
    api = Forwarding(secret("postgresql://me:secret-of-me@db.example.test/todo?sslmode=verify-full"))
    with Database(Settings(), api).connect():  # type: ignore[arg-type]
        pass
    assert seen[0]["host"] == "db.example.test"
    assert "hostaddr" not in seen[0]
    assert seen[0]["sslrootcert"] == database.system_authorities()
    assert api.forwarded is None


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ((), "Secret todo-secrets in namespace todo has no key migration-database-url"),
        ((secret("mysql://nonsense"),), "is not a PostgreSQL URL"),
        ((secret(URL), AUTHORITY), "Service postgres in namespace todo-database has no ready pod"),
        ((secret(URL), AUTHORITY, endpoints(ready=False)), "has no ready pod"),
    ],
)
def test_why_there_is_no_connection(
    objects: tuple[Object, ...], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(monkeypatch)
    with (
        pytest.raises(Unmeasurable, match=words),
        Database(Settings(), Forwarding(*objects)).connect(),  # type: ignore[arg-type]
    ):
        pass


def test_a_refusal_is_told_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    connected(monkeypatch, error="certificate verify failed for pw-of-the-owner")
    api = Forwarding(secret(URL), AUTHORITY, endpoints())
    with (
        pytest.raises(Unmeasurable) as caught,
        Database(Settings(), api).connect(),  # type: ignore[arg-type]
    ):
        pass
    assert "certificate verify failed" in caught.value.observed
    assert "pw-of-the-owner" not in str(caught.value)


def test_a_refused_statement_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    connected(monkeypatch)
    api = Forwarding(secret(URL), AUTHORITY, endpoints())
    with (
        pytest.raises(
            RunbookError, match="PostgreSQL refused a statement of todo_owner: relation does not exist"
        ),
        Database(Settings(), api).connect(),  # type: ignore[arg-type]
    ):
        raise psycopg.ProgrammingError("relation does not exist")


GIVEN = "postgresql://me:secret-of-me@db.example.test/todo?sslmode=verify-full&channel_binding=require"


def test_the_stand_ins_authority_is_not_asked_about_a_server_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = connected(monkeypatch)
    with Database(Settings(), Forwarding(secret(GIVEN), AUTHORITY)).connect():  # type: ignore[arg-type]
        pass
    assert seen[0]["sslrootcert"] == database.system_authorities()


class Answering:
    """A server that lets the role in and says whether it may make tables."""

    def __init__(self, may: bool) -> None:
        self.may = may

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str) -> Answering:
        assert "has_schema_privilege" in statement
        return self

    def fetchone(self) -> tuple[bool]:
        return (self.may,)


def test_a_users_database_is_tried_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def connect(**parameters: Any) -> Answering:
        seen.append(parameters)
        return Answering(may=len(seen) == 1)

    monkeypatch.setattr(database.psycopg, "connect", connect)
    database.try_once(read(GIVEN))
    assert (seen[0]["channel_binding"], seen[0]["connect_timeout"]) == ("require", database.CONNECT_TIMEOUT)
    assert seen[0]["sslrootcert"] == database.system_authorities()
    with pytest.raises(UsageError, match="may not make tables") as caught:
        database.try_once(read(GIVEN))
    assert caught.value.exit_code == 2


def test_why_a_users_database_cannot_be_used_is_one_line_without_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected(
        monkeypatch, 'connection failed:\nFATAL: password authentication failed for user "me" secret-of-me'
    )
    with pytest.raises(UsageError) as caught:
        database.try_once(read(GIVEN))
    assert "password authentication failed" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret-of-me" not in str(caught.value)


def test_a_service_of_the_cluster_is_left_to_the_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = connected(monkeypatch)
    database.try_once(read("postgresql://a:b@db.team.svc:5432/todo?sslmode=require"))
    assert seen == []
