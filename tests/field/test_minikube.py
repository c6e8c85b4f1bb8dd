"""A real minikube of one node: made, deployed to, secured, stopped and started, deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runbook.engine.settings import Settings
from tests.field import minikube_cache, minikube_node
from tests.field.engine import FieldEngine
from tests.field.inside import Inside
from tests.field.parts import toolchain

pytestmark = pytest.mark.field

NAME = "mini"
PARTS = ("minikube", "cri-dockerd", "minikube-storage", "kubeadm", "crictl", "network-daemon")
RUNNING = "TODO_FIELD_RUNNING"
"""Set to 1 while writing tests: engine and profile are left for the next run."""


@pytest.fixture(autouse=True)
def _own_folders() -> None:
    """The field uses the real caches; its state lies beside its engine."""


@dataclass(frozen=True)
class Field:
    """A user's machine with minikube, seen from inside."""

    inside: Inside

    def inv(self, *words: str, **more: str) -> dict[str, dict[str, Any]]:
        """The steps of a command by id, whatever became of them."""
        done = self.inside.inv(*words, "--json", timeout=3000, **more)
        try:
            document = json.loads(done.stdout[done.stdout.index("{") :])
        except ValueError:
            pytest.fail(done.stdout[-4000:])
        return {step["id"]: step for step in document["steps"]}

    def minikube(self, *words: str) -> str:
        done = self.inside.run("minikube", "--profile", NAME, *words)
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    settings = Settings()
    toolchain(settings).install(lambda _: None, only=PARTS)
    engine = FieldEngine(settings.cache / "field" / "minikube-engine", "todo-mini")
    home = engine.folder / "home"
    engine.up()
    try:
        reference = minikube_node.image(engine, settings)
        minikube_cache.fill(engine, settings, home)
        inside = Inside(engine, settings, _as_a_user(settings, home, reference))
        yield Field(inside)
        if RUNNING not in os.environ:
            inside.inv("cleanup", "--yes")
    finally:
        if RUNNING not in os.environ:
            engine.down()
            assert not engine.leftovers()


def _as_a_user(settings: Settings, home: Path, node_image: str) -> dict[str, str]:
    own = toolchain(settings).binary("minikube").parent
    return {
        "PATH": os.pathsep.join([str(own), os.environ["PATH"]]),
        "MINIKUBE_HOME": str(home),
        "MINIKUBE_FORCE": "true",  # the field runs as root
        "TODO_CLUSTER": "minikube",
        "TODO_CLUSTER_NAME": NAME,
        "TODO_HOST": f"{NAME}.todo.local",
        "TODO_NODE_IMAGE": node_image,
        "TODO_KUBERNETES_VERSION": "v1.35.4",
        "TODO_CNI": "kindnet",
    }


def wrong(steps: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What is not green, in words."""
    return {
        name: f"{step['status']}: {step['observed']}; wanted: {step['wanted']}"
        for name, step in steps.items()
        if step["status"] != "passed"
    }


def test_deploy_proves_the_list(field: Field) -> None:
    steps = field.inv("deploy")
    assert wrong(steps) == {}
    assert len(steps) == 54


def test_the_network_enforces_policies(field: Field) -> None:
    """The canary of T077 dies of what it should die of."""
    assert wrong(field.inv("secure")) == {}
