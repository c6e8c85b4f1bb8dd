"""Files that we keep: whole or not at all, and a damaged one is one line with a way on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runbook.clients.kube.pin import Pin
from runbook.clients.kube.readiness import FirstReady
from runbook.clients.target import Kubeconfig
from runbook.cluster.embedded import addresses
from runbook.engine import evidence, state_file
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.settings import Settings
from runbook.ownership.ledger import Ledger
from runbook.probes import conversation

DAMAGED = [
    "",
    "{",
    "[1, 2",
    "null",
    "[]",
    "3",
    '"text"',
    '{"other": 1}',
    "\x00\xff",
    '[{"kind": 1}]',
    "[" * 100_000,
]


def test_a_file_is_private_and_holds_just_this(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "file.json"
    state_file.write_json(file, {"a": 1})
    state_file.write_json(file, {"a": 2})
    assert state_file.read_json(file) == {"a": 2}
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_where_writing_ends_half_way_the_old_content_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    state_file.write(file, "old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunbookError, match="file cannot be written: No space left on device") as caught:
        state_file.write(file, "new")
    assert "XDG_STATE_HOME" in caught.value.hint
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_a_place_that_takes_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunbookError, match="cannot be written"):
        state_file.write(tmp_path / "file" / "below", "x")


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_state_file_is_one_line_or_counts_as_none(settings: Settings, content: str) -> None:
    state = settings.state
    for name in (
        "ledger.json",
        "pinned.json",
        "evidence/conversation.json",
        "evidence/x.json",
        "evidence/readiness.json",
    ):
        state_file.write(state / name, content.encode("latin-1"))
    state_file.write(state / "node" / "addresses.json", content.encode("latin-1"))
    assert conversation.last(settings) is None
    assert FirstReady(settings).seconds([]) == {}
    with pytest.raises(Unmeasurable, match=r"not been run yet|other images"):
        evidence.require(settings, "x", "identity", step="T101")
    chosen = addresses.of_node("todo", state / "node")  # a way on: other addresses, written as a whole
    assert addresses.known(state / "node") == chosen
    for ask in (
        Ledger(settings).entries,
        lambda: Pin(state / "pinned.json").agree(Kubeconfig(Path("/kubeconfig"), "todo"), "uid"),
    ):
        try:
            ask()
        except RunbookError as problem:
            assert str(state) in str(problem) and "\n" not in str(problem)
    assert json.dumps(content)
