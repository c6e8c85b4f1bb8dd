"""The build engine: whose it is, how it is reached, started, repaired and ended."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runbook.cluster.embedded import engine as module
from runbook.cluster.embedded.engine import Engine
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError, TimedOut
from runbook.engine.settings import Settings


class FakeSandbox:
    """Keeps what it was told to run; stands in for namespaces, which need root."""

    def __init__(self, name: str, folder: Path, network: bool) -> None:
        assert network is False, "builds need the machine's network"
        self.folder, self.up, self.stopped = folder, False, 0
        self.ran: list[list[str]] = []

    def start(self, services: Mapping[str, Any]) -> bool:
        self.up = True
        for name, service in services.items():
            place = self.folder / "services" / name
            place.mkdir(parents=True, exist_ok=True)
            (place / "run").write_text(service.script())
        return True

    def running(self) -> bool:
        return self.up

    def run(self, argv: list[str], timeout: float) -> str:
        self.ran.append(argv)
        return ""

    def stop(self) -> None:
        self.up = False
        self.stopped += 1

    def leftovers(self) -> list[str]:
        return []


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    def output(argv: list[str], **_: Any) -> str:
        if argv[0] == "dockerd":
            return "Docker version 20.10.24+dfsg1, build 5d6db84"
        raise CommandFailed("Cannot connect to the Docker daemon")

    monkeypatch.setattr(module, "output", output)
    monkeypatch.setattr(module, "Sandbox", FakeSandbox)
    monkeypatch.setattr(module, "START_SECONDS", 0.2)
    monkeypatch.delenv("DOCKER_HOST", raising=False)


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("c")))  # short: it holds a socket
    return Settings()


@pytest.fixture
def engine(settings: Settings) -> Engine:
    return Engine(settings)


@contextmanager
def daemon(path: Path, status: bytes = b"200 OK") -> Iterator[None]:
    """Something that answers /_ping on a socket."""
    path.parent.mkdir(parents=True, exist_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.0 " + status + b"\r\n\r\nOK")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        path.unlink()
        thread.join()


def told(_: str) -> None:
    return None


def test_it_is_started_once_and_left_alone_while_it_answers(engine: Engine) -> None:
    sandbox: Any = engine._sandbox
    with daemon(engine.socket):
        engine.up(told)
        script = (engine.folder / "services" / "dockerd" / "run").read_text()
        said: list[str] = []
        engine.up(said.append)
        assert not said and engine.running()
    assert "--iptables=false" in script and "--bridge=none" in script
    assert engine.socket.parent.stat().st_mode & 0o777 == 0o700
    assert not sandbox.stopped


def test_it_is_started_again_when_it_is_of_other_options(engine: Engine) -> None:
    with daemon(engine.socket):
        engine.up(told)
        (engine.folder / "services" / "dockerd" / "run").write_text("exec dockerd --of-yesterday")
        said: list[str] = []
        engine.up(said.append)
    assert said == ["build engine: starting dockerd"]


@pytest.mark.parametrize(("version", "has_key"), [("20.10.24", True), ("26.1.5", False)])
def test_it_keeps_its_key_out_of_the_machine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, version: str, has_key: bool
) -> None:
    monkeypatch.setattr(engine, "_version", int(version.split(".")[0]))
    assert ("deprecated-key-path" in json.loads(engine._configured())) is has_key


def test_one_that_does_not_come_up_is_told_with_its_last_words_and_ended(engine: Engine) -> None:
    log = engine.folder / "log" / "dockerd" / "current"
    log.parent.mkdir(parents=True)
    log.write_text("failed to mount overlay: operation not permitted\n")
    with pytest.raises(TimedOut) as caught:
        engine.up(told)
    assert "failed to mount overlay" in caught.value.observed and str(log) in caught.value.hint
    assert not engine.running()


def test_a_daemon_that_answers_with_an_error_does_not_run(engine: Engine) -> None:
    engine._sandbox.start({})
    with daemon(engine.socket, b"500 Internal Server Error"):
        assert not engine.running()
    assert not engine.running()


def test_a_path_too_long_for_a_socket_is_refused_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ("x" * 100)))
    with pytest.raises(RunbookError, match="too long") as caught:
        Engine(Settings()).up(told)
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_down_ends_the_daemon_before_its_sandbox_and_twice_is_fine(engine: Engine) -> None:
    sandbox: Any = engine._sandbox
    with daemon(engine.socket):
        engine.up(told)
        engine.down(told)
        assert sandbox.ran[0][0] == "s6-svc" and sandbox.stopped == 1
        engine.socket.touch()  # unlinked by down, expected by the end of the context
    engine.down(told)
    assert engine.leftovers() == []


class TestTheUsersOwn:
    @pytest.fixture(autouse=True)
    def _answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.buildx = True

        def output(argv: list[str], **_: Any) -> str:
            if argv[1] == "buildx" and not self.buildx:
                raise CommandFailed("'buildx' is not a docker command")
            return "28.2.2"

        monkeypatch.setattr(module, "output", output)

    def test_is_used_as_it_is_and_ours_is_not_started(self, engine: Engine) -> None:
        engine.up(told)
        assert engine.running() and engine.environment() == {}
        assert not engine._sandbox.running()

    def test_gets_our_buildx_where_it_has_none(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.buildx = False
        monkeypatch.setattr(Engine, "_configuration", lambda _: Path("/ours"))
        assert engine.environment() == {"DOCKER_CONFIG": "/ours"}

    def test_does_not_take_over_from_ours_while_that_runs(self, engine: Engine) -> None:
        engine._sandbox.start({})
        with daemon(engine.socket):
            assert not engine.users_own

    def test_does_not_take_over_from_ours_after_a_reboot_either(self, engine: Engine) -> None:
        """What answers then may be the daemon of a package that we installed."""
        engine.folder.mkdir(parents=True)
        assert not engine.users_own
        engine.folder.rmdir()
        assert Engine(engine._settings).users_own

    def test_our_own_daemon_in_the_environment_is_not_taken_for_the_users(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{engine.socket}")
        assert not engine.users_own


def test_our_engine_is_reached_by_its_socket_and_our_plugin(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "_configuration", lambda _: Path("/ours"))
    assert engine.environment() == {"DOCKER_HOST": f"unix://{engine.socket}", "DOCKER_CONFIG": "/ours"}


def test_without_our_buildx_the_remedy_is_named(engine: Engine) -> None:
    with pytest.raises(CommandMissing, match="buildx") as caught:
        engine.environment()
    assert caught.value.hint == "inv setup"
