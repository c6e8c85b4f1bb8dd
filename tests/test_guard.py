"""What threads leave on the terminal: nothing of the forwarding threads of a library, all of anything else."""

from __future__ import annotations

import threading

import pytest

from runbook.guard import FORWARDING, thread_hook


@pytest.fixture(autouse=True)
def _hooked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", thread_hook)


def fail() -> None:
    raise OSError("the connection ended")


@pytest.mark.parametrize(("name", "silent"), [(f"{FORWARDING}: 50002", True), ("ours", False)])
def test_a_thread_that_dies(name: str, silent: bool, capfd: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=fail, name=name)
    thread.start()
    thread.join()
    assert ("the connection ended" in capfd.readouterr().err) is not silent
