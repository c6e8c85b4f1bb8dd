"""The field's engines and clusters, made once for the tests of a file and ended after them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.engine.settings import Settings
from tests.field import minikube_cache, minikube_node, node_image, phases, registry
from tests.field.engine import FieldEngine
from tests.field.inside import Inside
from tests.field.parts import toolchain

HERE = Path(__file__).resolve().parent
MINIKUBE_PARTS = ("minikube", "cri-dockerd", "minikube-storage", "kubeadm", "crictl", "network-daemon")
_CACHE, _STATE = os.environ.get("XDG_CACHE_HOME"), os.environ.get("XDG_STATE_HOME")
"""Before tests get folders of their own: what was built stays built."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What docs/providers.md repeats: provider by phase, steps and seconds."""
    for line in phases.TABLE:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def field_settings() -> Settings:
    for name, value in (("XDG_CACHE_HOME", _CACHE), ("XDG_STATE_HOME", _STATE)):
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return Settings()


@pytest.fixture(scope="module")
def engine(field_settings: Settings) -> Iterator[FieldEngine]:
    toolchain(field_settings).install(print)
    found = FieldEngine(field_settings.cache / "field" / "engine")
    found.up()
    yield found
    found.down()
    assert not found.leftovers()


@pytest.fixture(scope="module")
def node(engine: FieldEngine, field_settings: Settings) -> str:
    """The reference of kind's node image."""
    return node_image.ensure(engine, field_settings)


@pytest.fixture(scope="class")
def kind(engine: FieldEngine, field_settings: Settings, node: str) -> Iterator[Inside]:
    """A user who chose kind, with three nodes."""
    chosen = {
        "TODO_CLUSTER": "kind",
        "TODO_CLUSTER_NAME": "fieldkind",
        "TODO_HOST": "kind.todo.local",
        "TODO_NODE_IMAGE": node,
        "TODO_KIND_CONFIG": str(HERE / "three-nodes.yaml"),
    }
    user = Inside(engine, field_settings, chosen)
    user.inv("cleanup", "--yes")  # of a run that was cut off
    yield user
    user.inv("cleanup", "--yes")


@pytest.fixture(scope="class")
def existing(engine: FieldEngine, field_settings: Settings, node: str) -> Iterator[Inside]:
    """A user with a cluster of their own: kind's default, which publishes no port; images come by the registry."""
    kubeconfig = field_settings.cache / "field" / "users.kubeconfig"
    chosen = {
        "TODO_CLUSTER": "existing",
        "TODO_CLUSTER_NAME": "fieldexist",
        "TODO_CONTEXT": "kind-users",
        "TODO_HOST": "existing.todo.local",
        "TODO_REGISTRY": registry.PREFIX,
        "KUBECONFIG": str(kubeconfig),
    }
    user = Inside(engine, field_settings, chosen)
    user.run("kind", "delete", "cluster", "--name", "users")
    made = user.run("kind", "create", "cluster", "--name", "users", "--image", node, "--wait", "180s")
    assert made.returncode == 0, made.stdout
    registry.ensure(engine, field_settings, user, "users")
    yield user
    user.run("kind", "delete", "cluster", "--name", "users")


@pytest.fixture(scope="module")
def minikube(field_settings: Settings) -> Iterator[Inside]:
    """A user with minikube, one node and the docker runtime."""
    toolchain(field_settings).install(print, only=MINIKUBE_PARTS)
    engine = FieldEngine(field_settings.cache / "field" / "minikube-engine", "todo-mini")
    home = engine.folder / "home"
    engine.up()
    try:
        image = minikube_node.image(engine, field_settings)
        minikube_cache.fill(engine, field_settings, home)
        tools = toolchain(field_settings).binary("minikube").parent
        chosen = {
            "PATH": os.pathsep.join([str(tools), os.environ["PATH"]]),
            "MINIKUBE_HOME": str(home),
            "MINIKUBE_FORCE": "true",  # the field runs as root
            "TODO_CLUSTER": "minikube",
            "TODO_CLUSTER_NAME": "mini",
            "TODO_HOST": "mini.todo.local",
            "TODO_NODE_IMAGE": image,
            "TODO_KUBERNETES_VERSION": "v1.35.4",
            "TODO_CNI": "kindnet",
        }
        user = Inside(engine, field_settings, chosen)
        user.inv("cleanup", "--yes")  # of a run that was cut off
        yield user
        user.inv("cleanup", "--yes")
    finally:
        engine.down()
        assert not engine.leftovers()
