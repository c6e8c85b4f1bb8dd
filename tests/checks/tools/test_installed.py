"""The tools: which one serves, in which version; too old fails, newer than tested warns, missing says what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runbook.checks.tools import installed
from runbook.clients.helm import HelmVersion
from runbook.clients.process.commands import CommandResult
from runbook.engine.errors import CommandFailed, CommandMissing, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes.worlds import FakeApi, FakeCluster, world_of


class FakeCommands:
    """Answers by the command's name; None is "not installed"."""

    def __init__(self, **answers: str | None) -> None:
        self.answers = answers

    def run(self, argv: Sequence[str | Path], **_: Any) -> CommandResult:
        answer = self.answers.get(Path(argv[0]).name)
        if answer is None:
            raise CommandMissing(f"the command {Path(argv[0]).name} is not there", hint="install it")
        return CommandResult(answer, "", 0)

    def find(self, name: str) -> Path | None:
        return Path("/usr/bin") / name if self.answers.get(name) else None


class FakeHelm:
    binary = Path("/usr/bin/helm")

    def __init__(self, version: str | None) -> None:
        self.text = version

    def version(self) -> HelmVersion:
        if self.text is None:
            raise CommandMissing("the command helm is not there", hint="inv setup")
        return HelmVersion(self.text, int(self.text[1:].partition(".")[0]))


def make(
    helm: str | None = "v3.19.0", provider: str = "embedded", serves: str = "", **answers: str | None
) -> World:
    """`serves`: the version of an API server that answers."""
    cluster = FakeCluster()
    cluster.provider = provider
    api = FakeApi()
    api.away, api.server_version = not serves, serves
    commands = FakeCommands(**answers)
    return world_of(Settings(), commands=commands, helm=FakeHelm(helm), cluster=cluster, api=api)


def server(version: str, platform: str = "Docker Engine - Community") -> str:
    return json.dumps({"Client": {}, "Server": {"Version": version, "Platform": {"Name": platform}}})


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (server("20.10.24"), Status.PASSED, "Docker Engine 20.10.24"),
        (server("19.03.1"), Status.FAILED, "Docker Engine 19.03.1"),
        (server("99.0"), Status.PASSED, "newer than the versions that were tested"),
        (
            server("28.0", "Docker Desktop 4.53.0 (211793)"),
            Status.PASSED,
            "Docker Desktop 4.53.0 with Engine 28.0",
        ),
        (server("27.0", "Docker Desktop 4.39.0 (184744)"), Status.FAILED, "Docker Desktop 4.39.0"),
        ("{}", Status.FAILED, "no build engine answers"),
        ("not json", Status.FAILED, "no build engine answers"),
        (None, Status.FAILED, "no build engine answers"),
    ],
)
def test_build_engine(answer: str | None, status: Status, words: str) -> None:
    outcome = installed.build_engine(make(docker=answer))
    assert outcome.status is status
    assert words in outcome.observed


def test_a_version_that_is_none_cannot_be_measured() -> None:
    with pytest.raises(Unmeasurable):
        installed.build_engine(make(docker=server("unknown")))


def test_without_docker_each_provider_has_its_own_remedy() -> None:
    assert installed.build_engine(make(docker=None)).hint == "inv setup"
    assert installed.build_engine(make(docker=None, provider="kind")).hint == "install it"


def test_a_docker_without_buildx_can_be_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(_: FakeCluster) -> dict[str, str]:
        raise CommandMissing("`buildx` is not installed", hint="inv setup")

    monkeypatch.setattr(FakeCluster, "docker_environment", without)
    outcome = installed.build_engine(make(docker=server("28.0"), provider="kind"))
    assert (outcome.status, outcome.hint) == (Status.FAILED, "inv setup")


def test_a_cluster_of_the_user_must_answer() -> None:
    cluster = FakeCluster()
    cluster.provider, cluster.running = "existing", False
    outcome = installed.kubernetes(world_of(Settings(), cluster=cluster))
    assert (outcome.status, outcome.observed) == (Status.FAILED, "context todo: not there")
    assert outcome.hint == "kubectl --context todo get nodes"
    cluster.running = True
    assert installed.kubernetes(world_of(Settings(), cluster=cluster)).observed == "runs, Kubernetes v1.35.4"


@pytest.mark.parametrize(
    ("ours", "server", "told"),
    [
        ("v1.34.1", "v1.35.4", False),
        ("v1.36.0", "v1.35.4-gke.1500", False),
        ("v1.32.4-dispatcher", "v1.35.4", True),
        ("v1.36.0", "v1.33.1+k3s1", True),
        ("v1.30.0", "", False),
    ],
)
def test_a_kubectl_far_from_the_server_is_named(ours: str, server: str, told: bool) -> None:
    answer = json.dumps({"clientVersion": {"gitVersion": ours}})
    outcome = installed.kubectl(make(kubectl=answer, serves=server))
    assert outcome.green
    assert (f"more than one minor from the API server's {server}" in outcome.observed) is told


def test_minikube_where_it_is_the_provider() -> None:
    answer = json.dumps({"minikubeVersion": "v1.37.0"})
    assert installed.kubernetes(make(provider="minikube", minikube=answer)).observed == "minikube v1.37.0"
    missing = installed.kubernetes(make(provider="minikube"))
    assert (missing.status, missing.hint) == (Status.FAILED, "install it")


def test_the_embedded_node_takes_the_place_of_minikube(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runbook.cluster.embedded.toolchain import Toolchain
    from runbook.cluster.minikube import Minikube

    monkeypatch.setattr(Minikube, "obstacle", lambda _: "minikube's docker driver refuses root")
    binary = tmp_path / "kubernetes"
    world = make(kubernetes="Kubernetes v1.35.4\n")
    assert (installed.kubernetes(world).status, installed.kubernetes(world).hint) == (
        Status.FAILED,
        "inv setup",
    )
    monkeypatch.setattr(Toolchain, "binary", lambda _self, _name: binary)
    monkeypatch.setattr(Toolchain, "missing", lambda _: ("traefik",))
    unfinished = installed.kubernetes(world)
    assert unfinished.observed == "the embedded node is not built yet: traefik missing"
    monkeypatch.setattr(Toolchain, "missing", lambda _: ())
    outcome = installed.kubernetes(world)
    there = "in the place of minikube: the embedded node, Kubernetes v1.35.4"
    assert outcome.observed == f"{there} (minikube's docker driver refuses root)"


@pytest.mark.parametrize(
    ("version", "status", "words"),
    [
        ("v3.19.0", Status.PASSED, "Helm v3.19.0"),
        ("v4.3.1", Status.PASSED, "Helm v4.3.1"),
        ("v5.0.0", Status.PASSED, "newer than"),
        ("v3.13.0", Status.PASSED, "Helm v3.13.0"),
        ("v3.12.3", Status.FAILED, "Helm v3.12.3 is too old"),
        ("v2.17.0", Status.FAILED, "Helm v2.17.0"),
        (None, Status.FAILED, "the command helm is not there"),
    ],
)
def test_helm(version: str | None, status: Status, words: str) -> None:
    outcome = installed.helm(make(helm=version))
    assert outcome.status is status
    assert words in outcome.observed


def test_kubectl_of_a_distributor() -> None:
    answer = json.dumps({"clientVersion": {"gitVersion": "v1.32.4-dispatcher"}})
    outcome = installed.kubectl(make(kubectl=answer))
    assert (outcome.status, outcome.observed) == (Status.PASSED, "kubectl v1.32.4-dispatcher")


def test_no_kubectl() -> None:
    outcome = installed.kubectl(make())
    assert (outcome.status, outcome.hint) == (Status.FAILED, "inv setup")


@pytest.mark.parametrize(
    ("answer", "helm", "status", "words"),
    [
        ('{"Cli version": "1.14.1"}', "v3.19.0", Status.PASSED, "Dapr CLI 1.14.1"),
        ('{"Cli version": "1.11.0"}', "v3.19.0", Status.FAILED, "the Dapr CLI is 1.11.0"),
        ("{}", "v3.19.0", Status.UNPROVEN, "does not tell its version"),
        (None, "v3.19.0", Status.PASSED, "no Dapr CLI; Helm v3.19.0 installs Dapr in its place"),
        (None, None, Status.FAILED, "there is no Dapr CLI, and the command helm is not there"),
    ],
)
def test_dapr(answer: str | None, helm: str | None, status: Status, words: str) -> None:
    outcome = installed.dapr(make(helm=helm, dapr=answer))
    assert outcome.status is status
    assert words in outcome.observed


def test_a_failing_dapr_cli_is_unproven() -> None:
    class Failing(FakeCommands):
        def run(self, argv: Sequence[str | Path], **_: Any) -> CommandResult:
            raise CommandFailed("`dapr version` ended with exit status 1")

    world = world_of(Settings(), commands=Failing(), helm=FakeHelm("v3.19.0"), cluster=FakeCluster())
    assert installed.dapr(world).status is Status.UNPROVEN
