"""What programs see of the user's environment: nothing that moves them elsewhere, and no secret."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from runbook.cli import entry
from runbook.clients.process import environment
from runbook.clients.process.commands import Commands
from runbook.cluster.embedded.execution import output
from runbook.engine.settings import Settings

SECRETS = {
    "TODO_DATABASE_URL": "postgresql://u:the-password@db.example.org:5432/todo?sslmode=require",
    "OPENAI_API_KEY": "sk-the-key-of-the-user",
    "AWS_SECRET_ACCESS_KEY": "of-the-cloud",
    "GITHUB_TOKEN": "of-the-forge",
    "PGPASSWORD": "of-the-database",
    "PIP_INDEX_URL": "https://u:of-the-index@index.example.org",
}
MOVING = {
    "HELM_KUBEAPISERVER": "https://127.0.0.1:26443",
    "HELM_KUBETOKEN": "not-a-real-token",
    "HELM_DRIVER": "configmap",
    "HELM_KUBEINSECURE_SKIP_TLS_VERIFY": "true",
    "HELM_NAMESPACE": "kube-system",
    "KUBECONFIG": "/somebody/else",
    "KUBERNETES_MASTER": "https://127.0.0.1:1",
    "DOCKER_DEFAULT_PLATFORM": "linux/s390x",
    "BUILDX_BUILDER": "elsewhere",
    "DAPR_HOST_IP": "10.0.0.1",
    "PGHOST": "db.example.org",
    "PGSERVICE": "prod",
    "GIT_DIR": "/somebody/else",
    "BASH_ENV": "/somebody/else",
    "PYTHONSTARTUP": "/somebody/else",
}


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, **MOVING}.items():
        monkeypatch.setenv(name, value)


def seen_by(argv: list[str]) -> dict[str, str]:
    found: dict[str, str] = json.loads(Commands(Settings()).run(argv, timeout=20).stdout)
    return found


def program(folder: Path, name: str) -> list[str]:
    """A program of that name that tells its environment."""
    file = folder / name
    file.write_text(f"#!{sys.executable}\nimport json, os; print(json.dumps(dict(os.environ)))\n")
    file.chmod(0o755)
    return [str(file)]


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize(
    "name", ["helm", "kubectl", "dapr", "apt-get", "chromium", "npm", "docker", "minikube"]
)
def test_a_program_gets_neither_a_secret_nor_what_moves_it_elsewhere(tmp_path: Path, name: str) -> None:
    assert not seen_by(program(tmp_path, name)).keys() & {*SECRETS, *MOVING}


@pytest.mark.usefixtures("odd")
def test_a_command_that_is_followed_neither() -> None:
    told = json.loads(output([sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]))
    assert not told.keys() & {*SECRETS, *MOVING}


@pytest.mark.usefixtures("odd")
def test_after_a_command_began_no_child_of_any_library_does() -> None:
    """python-on-whales, Playwright and credential plugins start programs with this process's own environment."""

    class Config(dict[str, object]):
        pass

    chosen = entry.settings(Config())  # type: ignore[arg-type]
    assert chosen.database_url.get_secret_value() == SECRETS["TODO_DATABASE_URL"]
    assert not os.environ.keys() & {*SECRETS, *MOVING}
    assert entry.settings(Config()) == chosen  # type: ignore[arg-type]  # a second command of the same line
    assert environment.given("KUBECONFIG") == "/somebody/else"


@pytest.mark.usefixtures("odd")
def test_each_gets_its_own_family_and_scripts_of_ours_all_but_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("DOCKER_HOST", "ssh://builder")
    monkeypatch.setenv("TODO_TAG", "2.0.0")
    environment.adopt()
    assert seen_by(program(tmp_path, "go"))["GOPROXY"] == "off"
    assert seen_by(program(tmp_path, "docker"))["DOCKER_HOST"] == "ssh://builder"
    assert not seen_by(program(tmp_path, "helm")).keys() & {"GOPROXY", "DOCKER_HOST", "TODO_TAG"}
    script = seen_by(program(tmp_path, "deploy.sh"))
    assert script["TODO_TAG"] == "2.0.0" and script["PIP_INDEX_URL"] == SECRETS["PIP_INDEX_URL"]
    assert not script.keys() & {"TODO_DATABASE_URL", "OPENAI_API_KEY", "HELM_DRIVER", "AWS_SECRET_ACCESS_KEY"}


def test_the_engine_of_the_cluster_goes_before_the_user_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.ENGINE:
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("DOCKER_CONFIG", "/home/me/.docker")
    made = environment.of_child(["docker", "ps"], {"DOCKER_HOST": "tcp://192.168.49.2:2376"})
    assert {name: value for name, value in made.items() if name in environment.DOCKER} == {
        "DOCKER_HOST": "tcp://192.168.49.2:2376",
        "DOCKER_CONFIG": "/home/me/.docker",
    }
    environment.leave_engine()
    assert not os.environ.keys() & set(environment.ENGINE)


def test_cluster_addresses_are_asked_past_the_proxy_by_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:13128")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    monkeypatch.delenv("no_proxy", raising=False)
    environment.direct("10.117.255.2", "127.0.0.1", "")
    told = seen_by(program(tmp_path, "helm"))
    assert told["NO_PROXY"] == told["no_proxy"] == "localhost,127.0.0.1,10.117.255.2"
    assert told["HTTPS_PROXY"] == "http://127.0.0.1:13128"


def test_without_a_proxy_nothing_is_said_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    environment.direct("10.117.255.2")
    assert "NO_PROXY" not in os.environ
