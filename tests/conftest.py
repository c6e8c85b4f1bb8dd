"""What all tests share: a world without a cluster, in folders of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from runbook.clients.process import environment
from runbook.engine.journal import Journal
from runbook.engine.settings import Settings
from runbook.world import World

hypothesis.settings.register_profile(
    "busy", deadline=None
)  # how long an example takes is the machine's affair
hypothesis.settings.load_profile("busy")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the caches, the state or the settings of whoever runs it."""
    monkeypatch.setattr(environment, "_given", {})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in [each for each in os.environ if each.startswith(("TODO_", "OPENAI_"))]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """A command takes out of this process's environment what no child of it may have: each test gets it back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def world(settings: Settings) -> World:
    return World.of(settings)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.jsonl")
