"""Control groups: what the root hands down for us is put back with the last sandbox. A folder stands for the kernel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.cluster.embedded import cgroups


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A unified hierarchy as a folder: its files, and the attributes of folders, are kept here."""
    (tmp_path / "cgroup.controllers").write_text("cpu io memory misc")
    (tmp_path / "cgroup.subtree_control").write_text("io")
    attributes: dict[tuple[Path, str], bytes] = {}

    def read(path: Path, name: str) -> bytes:
        try:
            return attributes[path, name]
        except KeyError:
            raise OSError("no such attribute") from None

    monkeypatch.setattr(cgroups, "_hierarchies", lambda: [tmp_path])
    monkeypatch.setattr(os, "setxattr", lambda path, name, value: attributes.update({(path, name): value}))
    monkeypatch.setattr(os, "getxattr", read)
    return tmp_path


def test_what_is_handed_down_is_noted_and_put_back_with_the_last_sandbox(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = Path.write_text

    def kernel(path: Path, text: str) -> int:
        """Words with a sign change what the file says."""
        if path.name != "cgroup.subtree_control":
            return write(path, text)
        written.append(f"{path.parent.name if path.parent != root else 'root'} {text}")
        now = set(path.read_text().split()) if path.exists() else set()
        for word in text.split():
            now = now | {word[1:]} if word[0] == "+" else now - {word[1:]}
        return write(path, " ".join(sorted(now)))

    monkeypatch.setattr(Path, "write_text", kernel)
    cgroups.create("first")
    cgroups.create("second")
    assert (root / "cgroup.subtree_control").read_text() == "cpu io memory"
    cgroups.remove("first")
    assert (root / "cgroup.subtree_control").read_text() == "cpu io memory"
    assert written == ["root +cpu +memory"]
    cgroups.remove("second")
    assert sorted(written[1:]) == ["root -cpu", "root -memory"]
    assert (root / "cgroup.subtree_control").read_text() == "io"
    assert not (root / cgroups.PARENT).exists()
