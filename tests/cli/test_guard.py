"""What threads leave on the terminal: nothing of the forwarding threads of a library, all of anything else."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runbook.cli.guard import FORWARDING, thread_hook

PROJECT = Path(__file__).resolve().parents[2]


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


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """As `inv --list | head -1` is."""
    command = f"{sys.executable} -m invoke --list | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=PROJECT, timeout=60)
    assert (done.stdout, done.stderr) == ("Available tasks:\n", "")
