"""The live tests deploy to a cluster of their own and look at it as a user does: through `inv`.

Everything that a test plants is undone; the last module removes the cluster and compares the machine with before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import ENVIRONMENT, Answer, inv
from machine import Machine
from people import Crowd, crowd

from runbook.engine.settings import Settings, load
from runbook.world import World

ORDER = (
    "test_steps",
    "test_journeys",
    "test_days",
    "test_isolation",
    "test_pages",
    "test_abuse",
    "test_claims",
    "test_security",
    "test_network",
    "test_faults",
    "test_packaging",
    "test_database",
    "test_dapr",
    "test_automation",
    "test_foreign",
    "test_teardown",
)
"""Asking first, while the proofs of the deploy stand; then using it; then breaking; then taking away."""

RUNNING = "RUNBOOK_LIVE_RUNNING"
"""Set to 1 while writing tests: what runs already is used as it is, and left."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.live)
    items[:] = [item for item in items if item not in ours] + sorted(
        ours, key=lambda item: ORDER.index(item.path.stem)
    )


@pytest.fixture(autouse=True)
def _own_folders() -> None:
    """The live tests use the real caches, as a person does; their cluster's name keeps their state apart."""


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load({}, {}, os.environ | ENVIRONMENT)


@pytest.fixture(scope="session")
def machine_before(settings: Settings) -> Machine:
    """The machine before anything of ours runs; what an aborted run left is removed first."""
    if RUNNING not in os.environ:
        inv("cleanup", "--yes", "--unseen")
    return Machine.now(folders=(settings.state,))


@pytest.fixture(scope="session")
def deployed(machine_before: Machine) -> Iterator[Answer]:
    """The application deployed from nothing; removed at the end, whatever happened."""
    if RUNNING in os.environ:
        yield Answer(0, "", "")
        return
    yield inv("deploy", "--json")
    inv("cleanup", "--yes", "--unseen")


@pytest.fixture
def world(deployed: Answer, settings: Settings) -> World:
    """Fresh clients for looking at the deployed application."""
    assert deployed.code == 0, deployed.stderr
    return World.of(settings)


@pytest.fixture(scope="module")
def people(deployed: Answer, settings: Settings) -> Iterator[Crowd]:
    """A browser for as many people as a module wants; their accounts are removed at its end."""
    assert deployed.code == 0, deployed.stderr
    with crowd(World.of(settings)) as opened:
        yield opened
