"""Which cluster: as set, else what is there, else one clear line."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from types import SimpleNamespace

import pytest

from runbook.cluster.choose import choose
from runbook.cluster.minikube import Minikube
from runbook.errors import UsageError
from runbook.settings import ClusterChoice, Settings


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Root on Linux without minikube, unless a test says otherwise."""
    found = SimpleNamespace(minikube=False, root=True, system="Linux")
    monkeypatch.setattr(Minikube, "usable", staticmethod(lambda: found.minikube))
    monkeypatch.setattr(os, "geteuid", lambda: 0 if found.root else 1000)
    monkeypatch.setattr(platform, "system", lambda: found.system)
    return found


@pytest.mark.parametrize("name", ["embedded", "minikube", "kind", "existing"])
def test_what_is_set_is_taken(name: ClusterChoice) -> None:
    assert choose(Settings(cluster=name, context="somewhere")).provider == name


@pytest.mark.parametrize(("there", "provider"), [(True, "minikube"), (False, "embedded")])
def test_auto_takes_minikube_where_it_is_usable(machine: SimpleNamespace, there: bool, provider: str) -> None:
    machine.minikube = there
    assert choose(Settings()).provider == provider


def test_auto_stays_with_a_node_that_is_there(machine: SimpleNamespace, settings: Settings) -> None:
    machine.minikube = True
    (settings.state / "node").mkdir(parents=True)
    assert choose(settings).provider == "embedded"


@pytest.mark.parametrize(("root", "system"), [(False, "Linux"), (True, "Darwin")])
def test_neither_is_said_in_one_line(machine: SimpleNamespace, root: bool, system: str) -> None:
    machine.root, machine.system = root, system
    with pytest.raises(UsageError, match=r"no minikube.*root on Linux.*try: install Docker and minikube"):
        choose(Settings())


def test_an_existing_cluster_needs_its_context() -> None:
    with pytest.raises(UsageError, match="context"):
        choose(Settings(cluster="existing")).kubeconfig()


@pytest.mark.parametrize(
    ("code", "said", "usable"), [(0, b"28.0\n", True), (0, b"\n", False), (1, b"", False)]
)
def test_minikube_is_usable_when_a_daemon_answers(
    monkeypatch: pytest.MonkeyPatch, code: int, said: bytes, usable: bool
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=code, stdout=said))
    assert Minikube.usable() is usable


def test_minikube_without_docker_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/minikube" if name == "minikube" else None)
    assert Minikube.usable() is False


def test_the_embedded_node_is_refused_where_there_is_no_linux(machine: SimpleNamespace) -> None:
    machine.system = "Darwin"
    with pytest.raises(UsageError, match=r"needs Linux.*TODO_CLUSTER=minikube"):
        choose(Settings(cluster="embedded"))
