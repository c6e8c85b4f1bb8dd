"""The backend's live connection: its own word, the server's sessions, plain text, rights and retries."""

from __future__ import annotations

import functools
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from runbook.actions.dapr import mesh
from runbook.actions.database import database as actions
from runbook.actions.package import release
from runbook.app.blueprint import MADE_FROM
from runbook.app.secrets import secret_data
from runbook.checks.database import connection, privileges, release_secret
from runbook.clients.kube import pod_http
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status, failed, passed
from runbook.world import World
from tests.fakes.stored import GOOD, Database, Server, make, put, refused

SESSION = {
    "address": "10.1.0.6",
    "role": "todo_backend",
    "ssl": True,
    "tls": "TLSv1.3",
    "cipher": "TLS_AES_256_GCM_SHA384",
}


class Ready:
    """What /ready of the backend answers."""

    def __init__(self) -> None:
        self.body: dict[str, Any] = {"checks": {"database": "ok", "mcp_server": "ok"}}
        self.status = 200

    def __call__(self, _: World, pod: Any, port: int, path: str, **__: Any) -> httpx.Response:
        assert (pod["metadata"]["name"], port, path) == ("backend-1", 8000, "/ready")
        return httpx.Response(self.status, json=self.body)


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> Ready:
    answer = Ready()
    monkeypatch.setattr(pod_http, "ask", answer)
    monkeypatch.setattr(privileges, "excesses", lambda _: [])
    return answer


def connected(settings: Settings | None = None) -> tuple[World, Server, Database]:
    world, api, database = make(settings)
    database.answers["pg_stat_ssl"] = [dict(SESSION)]
    return world, api, database


def test_a_live_connection_passes(ready: Ready) -> None:
    world, _, database = connected()
    outcome = connection.lives(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "1 sessions of 1 pods as todo_backend with TLSv1.3" in outcome.observed
    assert "plain text refused (28000); roles have the least rights; 4 attempts" in outcome.observed
    assert database.asked[0][1] == "database-url"


def test_a_backend_whose_database_does_not_answer_fails(ready: Ready) -> None:
    world, _, _ = connected()
    ready.body, ready.status = {"checks": {"database": "failed", "mcp_server": "ok"}}, 503
    outcome = connection.lives(world)
    assert (outcome.status, outcome.observed) == (
        Status.FAILED,
        "pod backend-1 says of its database: failed",
    )
    assert outcome.hint == "inv verify.step T113"


def test_a_backend_that_does_not_say_cannot_be_judged(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    world, _, _ = connected()
    ready.body = {"detail": "what?"}
    with pytest.raises(Unmeasurable, match="does not say whether it is ready"):
        connection.lives(world)

    def away(*_: Any, **__: Any) -> None:
        raise Unmeasurable("port 8000 of pod backend-1 does not answer: refused")

    monkeypatch.setattr(pod_http, "ask", away)
    with pytest.raises(Unmeasurable, match="does not answer: refused"):
        connection.lives(world)


def test_credentials_that_are_not_taken_fail(ready: Ready) -> None:
    world, api, _ = connected()
    api.attempts["own"] = refused("InvalidPasswordError", "28P01")
    outcome = connection.lives(world)
    assert outcome.status is Status.FAILED
    assert "cannot connect: InvalidPasswordError (28P01)" in outcome.observed


@pytest.mark.parametrize(
    ("sessions", "words"),
    [
        ([], "PostgreSQL has no session of pod backend-1 (10.1.0.6)"),
        ([SESSION | {"address": "10.9.9.9"}], "PostgreSQL has no session of pod backend-1"),
        ([SESSION | {"ssl": False}], "a session of pod backend-1 is in plain text"),
    ],
)
def test_what_the_server_shows_has_to_be_the_pods_and_encrypted(
    sessions: list[dict[str, Any]], words: str, ready: Ready
) -> None:
    world, _, database = connected()
    database.answers["pg_stat_ssl"] = sessions
    outcome = connection.lives(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_plain_text_that_is_taken_fails_and_one_that_got_no_word_proves_nothing(ready: Ready) -> None:
    world, api, _ = connected()
    api.attempts["plain"] = GOOD | {"tls": ""}
    assert "takes the backend's credentials in plain text" in connection.lives(world).observed
    world.clients.memory.forget()
    api.attempts["plain"] = refused("TimeoutError")
    assert connection.lives(world).status is Status.UNPROVEN


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"database_connect_attempts": 1}, "tries 1 times to connect, not 4 to 6"),
        ({"database_connect_attempts": 10}, "tries 10 times to connect"),
        ({"database_connect_timeout": 10.0}, "may take 43.5 s, more than 30"),
    ],
)
def test_retries_out_of_their_bounds_fail(change: dict[str, Any], words: str, ready: Ready) -> None:
    world, api, _ = connected()
    api.process |= change
    assert words in connection.lives(world).observed


def test_rights_beyond_the_work_fail_and_are_only_told_of_a_database_outside(
    ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privileges, "excesses", lambda _: ["me owns 12 objects"])
    assert connection.lives(connected()[0]).observed == "me owns 12 objects"
    url = "postgresql://me:pw-of-me@db.example.test/todo?sslmode=verify-full"
    world, _, database = connected(Settings(cluster_name="another", database_url=SecretStr(url)))
    database.answers["pg_stat_ssl"] = [SESSION | {"address": "192.0.2.7", "ssl": False}]
    outcome = connection.lives(world)
    assert outcome.status is Status.PASSED
    assert "WARNING: me owns 12 objects" in outcome.observed


def test_the_mending_lets_roles_in_deploys_and_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    world, api, _ = make()
    done: list[str] = []
    monkeypatch.setattr(release, "deploy", lambda _: done.append("deploy"))
    monkeypatch.setattr(mesh, "restart", lambda _: done.append("restart"))
    api.may["todo_backend"] = "another"
    actions.connect(world)
    assert done == ["deploy", "restart"]
    assert api.may["todo_backend"] != "another"


@pytest.fixture
def current(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = functools.partial(passed, "revision 1 is deployed")
    monkeypatch.setattr(release_secret.deployed, "current", lambda _: answer())


def test_pods_are_made_from_the_secret_as_it_is_now(current: None) -> None:
    world, api, _ = make()
    present = secret_data.digest(world, "todo-secrets", "todo")
    for pod in api.list("Pod", "todo"):
        pod["metadata"]["annotations"] = {MADE_FROM: present}
    outcome = release_secret.current(world)
    assert outcome.status is Status.PASSED
    assert "3 pods made from Secret todo-secrets as it is now" in outcome.observed
    put(api, {"openai-api-key": "another-key-of-the-model"})
    outcome = release_secret.current(world)
    assert outcome.status is Status.FAILED
    assert "pod backend-1 was made from another content of Secret todo-secrets" in outcome.observed


def test_a_release_that_is_not_current_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _, _ = make()
    bad = failed("revision 1 was made from abc", wanted="x", hint="inv deploy")
    monkeypatch.setattr(release_secret.deployed, "current", lambda _: bad)
    assert release_secret.current(world).observed == "revision 1 was made from abc"
