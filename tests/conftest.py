"""What all tests share: a world without a cluster, in folders of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.journal import Journal
from runbook.settings import Settings
from runbook.world import World


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the caches, the state or the settings of whoever runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in (
        "TODO_CLUSTER",
        "TODO_CLUSTER_NAME",
        "TODO_DATABASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def world(settings: Settings) -> World:
    return World.of(settings)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.jsonl")
