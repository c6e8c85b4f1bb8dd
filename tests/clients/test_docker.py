"""The build engine's client: what it asks, how it tells failures, and that nothing raw reaches a user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from python_on_whales.client_config import ClientNotFoundError
from python_on_whales.exceptions import DockerException, NoSuchImage

from runbook.clients import docker as module
from runbook.clients.docker import Docker, Layer, Secret, no_engine_hint
from runbook.clients.process.commands import CommandResult
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError, Unmeasurable
from runbook.engine.redaction import conceal
from runbook.engine.settings import Settings
from tests.fakes.worlds import FakeCluster


def failure(words: str, kind: type[DockerException] = DockerException) -> DockerException:
    return kind(["docker", "something"], 1, b"", words.encode())


class FakeClient:
    """The parts of python-on-whales that are asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.lines: list[str] = []
        self.failure: DockerException | None = None
        self.networks = [object()]
        self.image = SimpleNamespace(inspect=self._inspect, remove=self._inspect)
        self.system = SimpleNamespace(
            info=lambda: SimpleNamespace(id="ID", name="engine", server_version="20.10.24")
        )
        self.network = SimpleNamespace(list=lambda filters: self.networks)
        self.buildx = SimpleNamespace(build=self._build)

    def _inspect(self, reference: str) -> Any:
        if self.failure:
            raise self.failure
        config = SimpleNamespace(user="1000:1000", labels={"a": "b"})
        layers = SimpleNamespace(layers=["sha256:1"])
        return SimpleNamespace(id="sha256:i", size=7, config=config, root_fs=layers, repo_digests=None)

    def _build(self, context: Path, **options: Any) -> Iterator[str] | None:
        self.asked = {"context": context, **options}
        if not options.get("stream_logs"):
            for name in ("kept.py", "folder/deep.py"):
                place = Path(options["output"]["dest"]) / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            return None
        return self._stream()

    def _stream(self) -> Iterator[str]:
        yield from self.lines
        if self.failure:
            raise self.failure


class FakeCommands:
    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.rows = rows

    def run(self, argv: list[str], **_: Any) -> CommandResult:
        assert argv[:3] == ["docker", "image", "history"] and "--human=false" in argv
        return CommandResult("\n".join(json.dumps(row) for row in self.rows) + "\n", "", 0)


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def docker(client: FakeClient, settings: Settings) -> Docker:
    return Docker(settings, FakeCluster(), connect=lambda _: client)  # type: ignore[arg-type, return-value]


def build(docker: Docker, progress: list[str] | None = None, **options: Any) -> None:
    said = progress if progress is not None else []
    docker.build(Path("context"), "todo-x:1.0.0", progress=said.append, **options)


def test_an_image_is_told_by_id_size_user_and_labels(docker: Docker) -> None:
    found = docker.image("todo-x:1.0.0")
    assert found is not None
    assert (found.id, found.size, found.user, found.labels, found.layers, found.digests) == (
        "sha256:i",
        7,
        "1000:1000",
        {"a": "b"},
        ("sha256:1",),
        (),
    )


def test_an_image_that_is_not_there_is_none(docker: Docker, client: FakeClient) -> None:
    client.failure = failure("no such image", NoSuchImage)
    assert docker.image("todo-x:1.0.0") is None


GONE = (
    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the "
    "daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory"
)


@pytest.mark.parametrize(
    "words",
    [
        "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
        "dial tcp 127.0.0.1:2376: connect: connection refused",
        GONE,
        "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock",
        'error during connect: Get "http://10.9.8.7:2375/v1.51/info": dial tcp 10.9.8.7:2375: i/o timeout',
        "words of a version to come",
    ],
)
def test_an_engine_that_is_away_cannot_be_measured_whatever_its_client_says(
    docker: Docker, client: FakeClient, words: str
) -> None:
    client.failure = failure(words)
    client.system.info = lambda: client.image.inspect("")
    with pytest.raises(Unmeasurable, match="does not answer") as caught:
        docker.image("todo-x:1.0.0")
    assert caught.value.hint == "inv setup"


def test_a_failure_of_an_engine_that_answers_is_a_failure(docker: Docker, client: FakeClient) -> None:
    client.failure = failure("dial tcp 192.0.2.1:443: connect: connection refused")
    with pytest.raises(CommandFailed):
        docker.image("todo-x:1.0.0")


@pytest.mark.parametrize("words", ["unknown flag: --progress", "docker: 'buildx' is not a docker command."])
def test_a_client_without_buildx_is_told(docker: Docker, client: FakeClient, words: str) -> None:
    client.failure = failure(words)
    with pytest.raises(CommandMissing, match="buildx") as caught:
        docker.image("todo-x:1.0.0")
    assert caught.value.hint == "inv setup"


def test_what_to_try_is_never_a_command_that_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert no_engine_hint("embedded", {}) == "inv setup"
    away = no_engine_hint("minikube", {"DOCKER_HOST": f"unix://{tmp_path / 'absent'}"})
    assert "start Docker" in away
    socket = tmp_path / "docker.sock"
    socket.touch()
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    assert "usermod" in no_engine_hint("kind", {"DOCKER_HOST": f"unix://{socket}"})


def test_builds_go_to_the_daemons_own_builder(docker: Docker, client: FakeClient, tmp_path: Path) -> None:
    docker.context(tmp_path)
    assert client.asked["builder"] == "default"
    docker.build(tmp_path, "todo-x:1.0.0", progress=lambda _: None)
    assert client.asked["builder"] == "default"


def test_an_old_image_that_something_needs_stays(docker: Docker, client: FakeClient) -> None:
    client.failure = failure("conflict: unable to delete: image has dependent child images")
    docker.discard("sha256:old")


def test_a_missing_docker_command_is_told_with_its_remedy(settings: Settings) -> None:
    def connect(_: Any) -> Any:
        raise ClientNotFoundError("none")

    with pytest.raises(CommandMissing, match="not installed"):
        Docker(settings, FakeCluster(), connect=connect).image("x")  # type: ignore[arg-type]


def test_layers_are_in_bytes_and_without_the_empty_ones(settings: Settings) -> None:
    rows = [{"Size": "0", "CreatedBy": "CMD"}, {"Size": "1234", "CreatedBy": "COPY   /app  /app"}]
    docker = Docker(settings, FakeCluster(), commands=FakeCommands(rows))  # type: ignore[arg-type]
    assert docker.layers("x") == (Layer(1234, "COPY /app /app"),)


def test_the_context_is_what_the_builder_copied(docker: Docker, client: FakeClient, tmp_path: Path) -> None:
    assert docker.context(tmp_path) == {"kept.py", "folder/deep.py"}
    assert client.asked["context"] == tmp_path
    assert client.asked["output"]["type"] == "local"


def test_a_build_hands_secrets_over_as_files_and_never_as_arguments(
    docker: Docker, client: FakeClient, tmp_path: Path
) -> None:
    build(
        docker, secrets=[Secret("ca-bundle", tmp_path / "ca.crt")], arguments={"BASE": "b"}, labels={"l": "v"}
    )
    assert client.asked["secrets"] == [f"id=ca-bundle,src={tmp_path / 'ca.crt'}"]
    assert client.asked["build_args"] == {"BASE": "b"}
    assert client.asked["labels"] == {"l": "v"}


def test_build_steps_get_the_engines_network_only_where_it_has_no_bridge(
    docker: Docker, client: FakeClient
) -> None:
    build(docker)
    assert client.asked["network"] is None
    client.networks = []
    build(docker)
    assert client.asked["network"] == "host"


def test_progress_tells_steps_without_mounts_and_internals(docker: Docker, client: FakeClient) -> None:
    client.lines = [
        "#1 [internal] load build definition from Dockerfile\n",
        "#5 [builder 2/3] RUN --mount=type=cache,target=/c     uv sync\n",
        "#5 0.312 some output\n",
    ]
    said: list[str] = []
    build(docker, said)
    assert said == ["todo-x:1.0.0: builder 2/3 RUN uv sync"]


def test_a_failed_build_quotes_its_end_and_names_the_whole_log(
    docker: Docker, client: FakeClient, settings: Settings
) -> None:
    conceal("hunter2-hunter2")
    client.lines = [
        "#5 1.0 early\n",
        *[f"#5 2.{n} line {n}\n" for n in range(20)],
        "#5 3.0 token hunter2-hunter2\n",
    ]
    client.failure = failure("failed to solve")
    with pytest.raises(RunbookError) as caught:
        build(docker)
    told = caught.value
    assert "line 19" in told.observed and "early" not in told.observed
    assert "hunter2" not in str(told)
    log = Path(told.hint.removeprefix("less "))
    assert (
        log.is_relative_to(settings.cache) and "early" in log.read_text() and "hunter2" not in log.read_text()
    )


def test_an_engine_without_a_server_cannot_be_measured(docker: Docker, client: FakeClient) -> None:
    assert docker.engine().version == "20.10.24"
    client.system = SimpleNamespace(info=lambda: SimpleNamespace(id="", server_errors=["refused"]))
    with pytest.raises(Unmeasurable, match="refused"):
        docker.engine()


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        ({}, {}),
        ({"DOCKER_HOST": "unix:///s", "DOCKER_CONFIG": "/c"}, {"host": "unix:///s", "config": "/c"}),
        (
            {"DOCKER_HOST": "tcp://10.0.0.1:2376", "DOCKER_CERT_PATH": "/k", "DOCKER_TLS_VERIFY": "1"},
            {
                "host": "tcp://10.0.0.1:2376",
                "tlsverify": True,
                "tlscacert": "/k/ca.pem",
                "tlscert": "/k/cert.pem",
                "tlskey": "/k/key.pem",
            },
        ),
    ],
)
def test_the_clusters_environment_says_which_engine(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], options: dict[str, Any]
) -> None:
    monkeypatch.setattr("python_on_whales.DockerClient", lambda **given: given)
    assert module._connect(environment) == options
