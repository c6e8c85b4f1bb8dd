"""Redis: ready, and silent to whoever has no password; the password lies in its Secret alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from runbook.checks.dapr import redis_server
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import meshed, running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of


class Server(FakeApi):
    """A Redis behind the forwarded port: it knows AUTH and PING."""

    def __init__(self, *objects: dict[str, Any], password: str | None = meshed.PASSWORD) -> None:
        super().__init__(*objects)
        self.password = password
        self.silent = False

    @contextmanager
    def port_forward(self, pod: str, port: int, namespace: str) -> Iterator[int]:
        assert (pod, port, namespace) == ("redis-0", 6379, "todo")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
            yield int(listener.getsockname()[1])

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                known = self.password is None
                while not self.silent and (line := stream.readline()):
                    words = [stream.readline() and stream.readline().strip() for _ in range(int(line[1:]))]
                    if words[0] == b"AUTH":
                        known = words[1].decode() == self.password
                        answer = b"+OK" if known else b"-WRONGPASS invalid username-password pair"
                    else:
                        answer = b"+PONG" if known else b"-NOAUTH Authentication required."
                    stream.write(answer + b"\r\n")
                    stream.flush()


@pytest.fixture
def api() -> Server:
    return Server(*meshed.redis(), running.release_secret(values=meshed.VALUES))


@pytest.fixture
def world(settings: Settings, api: Server) -> World:
    return world_of(settings, api=api, cluster=FakeCluster())


def test_it_refuses_without_and_answers_with_the_password(world: World) -> None:
    outcome = redis_server.runs(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "without password: NOAUTH" in outcome.observed
    assert "with it: PONG" in outcome.observed
    assert meshed.PASSWORD not in str(outcome)


def test_an_open_server_is_a_failure(world: World, api: Server) -> None:
    api.password = None
    outcome = redis_server.runs(world)
    assert outcome.status is Status.FAILED
    assert "a PING without password got PONG" in outcome.observed


def test_another_password_than_the_secrets_is_told(world: World, api: Server) -> None:
    api.password = "another"
    outcome = redis_server.runs(world)
    assert "Redis does not take the password of Secret redis-auth: WRONGPASS" in outcome.observed


def test_a_server_that_hangs_up_is_no_verdict(world: World, api: Server) -> None:
    api.silent = True
    with pytest.raises(Unmeasurable, match="Redis does not answer"):
        redis_server.runs(world)


def test_what_is_missing_is_named(world: World, api: Server) -> None:
    del api.objects["StatefulSet", "todo", "redis"]
    del api.objects["Secret", "todo", "redis-auth"]
    observed = redis_server.runs(world).observed
    assert "there is no Secret redis-auth" in observed
    assert "there is no StatefulSet redis" in observed
    del api.objects["Secret", "todo", "sh.helm.release.v1.todo-app.v1"]
    assert redis_server.runs(world).observed == "the release carries no Redis"


def test_a_pod_that_is_not_ready_is_named(world: World, api: Server) -> None:
    running.waiting(api.objects["Pod", "todo", "redis-0"], "ErrImageNeverPull")
    assert "ErrImageNeverPull" in redis_server.runs(world).observed


def test_the_password_lies_in_its_secret_alone(world: World, api: Server) -> None:
    outcome = redis_server.password_is_kept(world)
    assert outcome.status is Status.PASSED, outcome.observed
    container = api.objects["Pod", "todo", "redis-0"]["spec"]["containers"][0]
    container["args"] = ["--requirepass", meshed.PASSWORD]
    outcome = redis_server.password_is_kept(world)
    assert (outcome.status, outcome.observed) == (
        Status.FAILED,
        "Pod redis-0 holds the password itself",
    )


def test_where_nothing_can_be_searched_nothing_is_proven(
    world: World, api: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "list", lambda *_, **__: [])
    with pytest.raises(Unmeasurable, match="no object that could hold the password"):
        redis_server.password_is_kept(world)


@pytest.mark.parametrize(
    ("value", "words"), [("c2hvcnQ=", "has less than 32 characters"), ("IHg=", "has white space")]
)
def test_a_bad_password_is_told_without_its_value(world: World, api: Server, value: str, words: str) -> None:
    api.objects["Secret", "todo", "redis-auth"]["data"]["password"] = value
    assert words in redis_server.password_is_kept(world).observed
