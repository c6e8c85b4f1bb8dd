"""The first readiness of pods, written down by whoever sees it first."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runbook.app.application import BACKEND
from runbook.clients.kube.readiness import FirstReady
from runbook.engine.settings import Settings
from tests.fakes import running


def test_steps_that_see_it_at_the_same_time_do_not_take_each_others_draft(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All write their drafts before the first of them puts its own in place."""
    together = threading.Barrier(4)
    write = Path.write_text

    def slow(path: Path, *arguments: Any, **options: Any) -> int:
        written = write(path, *arguments, **options)
        together.wait(10)
        return written

    monkeypatch.setattr(Path, "write_text", slow)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: FirstReady(settings).seconds([running.pod(BACKEND)]), range(4)))
    assert answers == [{"backend-1": 20.0}] * 4
    folder = settings.state / "evidence"
    assert json.loads((folder / "readiness.json").read_text()) == {"uid-backend-1": 20.0}
    assert [path.name for path in folder.iterdir()] == ["readiness.json"]
