"""The field's engine and clusters, made once for all its tests and ended after them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.engine.settings import Settings
from tests.field import node_image, registry
from tests.field.engine import FieldEngine
from tests.field.inside import Inside
from tests.field.parts import toolchain

HERE = Path(__file__).resolve().parent
_CACHE, _STATE = os.environ.get("XDG_CACHE_HOME"), os.environ.get("XDG_STATE_HOME")
"""Before tests get folders of their own: what was built stays built."""


@pytest.fixture(scope="session")
def field_settings() -> Settings:
    for name, value in (("XDG_CACHE_HOME", _CACHE), ("XDG_STATE_HOME", _STATE)):
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return Settings()


@pytest.fixture(scope="session")
def engine(field_settings: Settings) -> Iterator[FieldEngine]:
    toolchain(field_settings).install(print)
    found = FieldEngine(field_settings.cache / "field" / "engine")
    found.up()
    yield found
    found.down()
    assert not found.leftovers()


@pytest.fixture(scope="session")
def node(engine: FieldEngine, field_settings: Settings) -> str:
    """The reference of kind's node image."""
    return node_image.ensure(engine, field_settings)


@pytest.fixture(scope="session")
def kind(engine: FieldEngine, field_settings: Settings, node: str) -> Inside:
    """A user who chose kind, with three nodes."""
    chosen = {
        "TODO_CLUSTER": "kind",
        "TODO_CLUSTER_NAME": "fieldkind",
        "TODO_HOST": "kind.todo.local",
        "TODO_NODE_IMAGE": node,
        "TODO_KIND_CONFIG": str(HERE / "three-nodes.yaml"),
    }
    return Inside(engine, field_settings, chosen)


@pytest.fixture(scope="session")
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
    made = user.run("kind", "create", "cluster", "--name", "users", "--image", node, "--wait", "180s")
    assert made.returncode == 0, made.stdout
    registry.ensure(engine, field_settings, user, "users")
    yield user
    user.run("kind", "delete", "cluster", "--name", "users")
