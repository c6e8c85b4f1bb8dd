"""Looking at a process: what is said of it, and the ways that lead to it. The programs run here, on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from runbook.checks.security import processes
from runbook.checks.security.inside import FOLDER, Process, Unseen, look_inside, read, ways
from runbook.engine.errors import CommandFailed
from runbook.engine.settings import Settings
from tests.fakes import secured
from tests.fakes.worlds import FakeCluster, world_of

GOOD = secured.said(secured.SAID, ["/", "/tmp"], {})
PROGRAMS = {
    "look.sh": ["sh", "-c", (FOLDER / "look.sh").read_text(), "look"],
    "look.py": [sys.executable, "-I", "-c", (FOLDER / "look.py").read_text()],
    "look.js": ["node", "-e", (FOLDER / "look.js").read_text()],
}


class Node(FakeCluster):
    """A cluster that lets us onto its node."""

    def __init__(self, processes: dict[str, int], said: str = GOOD) -> None:
        super().__init__()
        self.processes, self.said = processes, said
        self.argv: list[str] = []

    def containers(self) -> dict[str, int]:
        return self.processes

    def run_on_node(self, argv: list[str], timeout: float) -> str:
        self.argv = argv
        if not self.said:
            raise CommandFailed("`python3` ended with status 1: no such process")
        return self.said


def test_what_is_said_is_read() -> None:
    seen = read(GOOD, "sh")
    assert isinstance(seen, Process)
    assert seen.uids == seen.gids == (1000,) * 4
    assert set(seen.capabilities.values()) == {0}
    assert (seen.seccomp, seen.no_new_privileges, seen.token) == (2, True, False)
    assert seen.writes == {"/": "EROFS", "/tmp": "written"}
    assert (seen.memory, seen.cpus) == (Decimal(256 * 1024 * 1024), Decimal("0.5"))


@pytest.mark.parametrize("lost", ["Uid", "Seccomp", "NoNewPrivs", "Token", "Memory", "Quota"])
def test_what_is_not_said_is_not_guessed(lost: str) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(f"{lost}:"))
    assert isinstance(read(text), Unseen)


@pytest.mark.parametrize("text", ["", "sh: not found", GOOD.replace("Seccomp:\t2", "Seccomp:\tlots")])
def test_other_words_are_not_read(text: str) -> None:
    assert isinstance(read(text), Unseen)


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_each_program_tells_of_what_it_finds(program: str, tmp_path: Path) -> None:
    if not shutil.which(PROGRAMS[program][0]):
        pytest.fail(f"{PROGRAMS[program][0]} is not on PATH")
    folder = tmp_path / "with blanks"
    folder.mkdir()
    absent = tmp_path / "absent"
    done = subprocess.run(
        [*PROGRAMS[program], str(folder), str(absent)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    lines = dict(line.partition(":")[::2] for line in done.stdout.splitlines() if ":" in line)
    writes = [line.split(":\t")[1] for line in done.stdout.splitlines() if line.startswith("Write:")]
    assert writes == [f"written {folder}", f"ENOENT {absent}"]
    assert {"Uid", "CapEff", "NoNewPrivs", "Seccomp", "Token"} <= lines.keys()
    assert list(folder.iterdir()) == [], "what was written was not removed"


def test_the_next_way_is_taken_where_one_does_not_lead_there() -> None:
    world, api = secured.secured()
    api.mute.add("backend")
    world = world_of(Settings(), api=api, cluster=Node({"backend": 4711}))
    backend = next(each for each in processes.of_namespace(world) if each.spec["name"] == "backend")
    seen = look_inside(world, backend)
    assert isinstance(seen, Process) and seen.seen_from == "the node"
    assert [way for way, _ in ways(world, backend)][-1] == "the node"
    assert world.cluster.argv[-3:] == ["4711", "/", "/tmp"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        (Node({}), "not among those of the node"),
        (Node({"backend": 4711}, said=""), "no such process"),
        (FakeCluster(), "node lets nobody in"),
    ],
)
def test_a_process_that_nobody_sees_is_told_with_every_reason(cluster: FakeCluster, words: str) -> None:
    _, api = secured.secured()
    api.mute.add("backend")
    world = world_of(Settings(), api=api, cluster=cluster)
    backend = next(each for each in processes.of_namespace(world) if each.spec["name"] == "backend")
    seen = look_inside(world, backend)
    assert isinstance(seen, Unseen)
    assert words in seen.reason and "sh in the container: executable file not found" in seen.reason
