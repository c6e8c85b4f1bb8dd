"""The hosts entry: marked, exact, removable; the file's other bytes, its mode and its owner stay."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from runbook.actions.web import hosts
from runbook.engine.errors import RunbookError
from runbook.engine.settings import Settings
from runbook.ownership.ledger import Ledger
from runbook.world import World
from tests.fakes.worlds import FakeCluster, world_of

ORIGINAL = "127.0.0.1\tlocalhost\n::1 localhost  # loopback\n"


class Resolver:
    """Reads a hosts file, as the machine's resolver would."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, host: str) -> list[str]:
        lines = [line.partition("#")[0].split() for line in self.path.read_text().splitlines()]
        return [words[0] for words in lines if host in words[1:]]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "hosts"
    found.write_text(ORIGINAL)
    found.chmod(0o644)
    monkeypatch.setattr(hosts, "addresses", Resolver(found))
    return found


@pytest.fixture
def here() -> World:
    return world_of(Settings(), cluster=FakeCluster())


def line(address: str = "10.0.0.2") -> str:
    return f"{address} todo.local {hosts.mark(Settings())}"


def test_the_line_is_marked_and_the_rest_untouched(here: World, path: Path) -> None:
    hosts.enter(here, path)
    assert path.read_text() == f"{ORIGINAL}{line()}\n"
    assert path.stat().st_mode & 0o7777 == 0o644
    assert hosts.present(here.settings, path)
    assert Ledger(here.settings).holds(hosts.KIND, "todo.local")


def test_twice_is_once(here: World, path: Path) -> None:
    hosts.enter(here, path)
    once = path.read_bytes()
    hosts.enter(here, path)
    assert path.read_bytes() == once


def test_a_line_that_does_not_help_is_not_left_behind(here: World, path: Path) -> None:
    path.write_text(f"10.9.9.9 todo.local\n{ORIGINAL}")
    before = path.read_bytes()
    with pytest.raises(RunbookError):
        hosts.enter(here, path)
    assert path.read_bytes() == before
    assert not Ledger(here.settings).holds(hosts.KIND, "todo.local")


def test_a_name_that_resolves_rightly_needs_no_line(here: World, path: Path) -> None:
    path.write_text(f"{ORIGINAL}10.0.0.2 todo.local\n")
    hosts.enter(here, path)
    assert not hosts.present(here.settings, path)
    assert not Ledger(here.settings).entries()


def test_a_cluster_that_moved_renews_its_line(here: World, path: Path) -> None:
    hosts.enter(here, path)
    here.cluster.address = "10.0.0.7"  # type: ignore[attr-defined]
    hosts.enter(here, path)
    assert path.read_text() == f"{ORIGINAL}{line('10.0.0.7')}\n"


@pytest.mark.parametrize("original", [ORIGINAL, ORIGINAL.rstrip("\n"), "", "caf\udce9 \udcff\n"])
def test_removal_restores_every_byte(here: World, path: Path, original: str) -> None:
    path.write_bytes(original.encode(errors="surrogateescape"))
    before = path.read_bytes()
    hosts._write(path, hosts._with(hosts._read(path), line()))
    assert hosts.present(here.settings, path)
    hosts.remove(here.settings, path)
    assert path.read_bytes() == before
    hosts.remove(here.settings, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "other",
    [
        "10.9.9.9 other.local # todo-runbook other " + "f" * 32,
        "10.9.9.9 todo.local # todo-runbook todo " + "f" * 32,
        "10.9.9.9 other.local # todo-runbook todo",
        "10.9.9.9 other.local # todo-runbook",
        "10.9.9.9 other.local # about todo-runbook todo",
    ],
)
def test_the_line_of_another_installation_stays(here: World, path: Path, other: str) -> None:
    """Also of one whose cluster has the same name: another user's, or another folder's."""
    hosts.enter(here, path)
    path.write_text(f"{path.read_text()}{other}\n")
    hosts.remove(here.settings, path)
    assert path.read_text() == f"{ORIGINAL}{other}\n"


def test_the_line_of_an_older_version_is_ours_where_the_ledger_says_so(here: World, path: Path) -> None:
    older = f"{ORIGINAL}10.0.0.9 todo.local # todo-runbook todo\n"
    path.write_text(older)
    hosts.remove(here.settings, path)
    assert path.read_text() == older
    Ledger(here.settings).add(hosts.KIND, "todo.local")
    hosts.remove(here.settings, path)
    assert path.read_text() == ORIGINAL


def test_a_foreign_line_in_the_way_is_named(here: World, path: Path) -> None:
    path.write_text(f"{ORIGINAL}192.168.1.1 todo.local\n")
    with pytest.raises(RunbookError, match=r"not ours: 192\.168\.1\.1 todo\.local"):
        hosts.enter(here, path)
    assert path.read_text() == f"{ORIGINAL}192.168.1.1 todo.local\n", "and what did not help is not left"


def test_a_bind_mounted_file_is_rewritten_in_place(
    here: World, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(hosts, "_replace", busy)
    inode = path.stat().st_ino
    hosts.enter(here, path)
    assert path.stat().st_ino == inode
    hosts.remove(here.settings, path)
    assert path.read_text() == ORIGINAL


def test_without_the_right_to_write_the_command_is_given(
    here: World, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    class ReadOnly(type(path)):  # type: ignore[misc]
        open = refused

        def read_bytes(self) -> bytes:
            return ORIGINAL.encode()

    monkeypatch.setattr(hosts, "_replace", refused)
    monkeypatch.setattr(hosts, "addresses", lambda _: [])
    path = ReadOnly(path)
    with pytest.raises(RunbookError) as caught:
        hosts.enter(here, path)
    assert caught.value.hint == f"echo '{line()}' | sudo tee -a {path}"
