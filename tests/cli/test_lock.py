from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runbook.cli.lock import one_run
from runbook.clients.process import guardian
from runbook.engine.errors import UsageError

RUN = """
import signal, subprocess, sys, time
from pathlib import Path
from runbook.clients.process.environment import of_child
from runbook.cli.guard import plainly
from runbook.cli.lock import one_run
{first}
BAND = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_{stubborn}); " + \
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True).pid, " + \
    "flush=True); time.sleep(600)"
with plainly(), one_run(Path(sys.argv[1]), "deploy"):
    argv = [sys.executable, "-c", BAND]
    child = subprocess.Popen(argv, env=of_child(argv), stdout=subprocess.PIPE, start_new_session=True, text=True)
    print(child.pid, child.stdout.readline().strip(), flush=True)
    time.sleep(600)
"""
"""A run with a child and a grandchild, each in a session of its own."""


@contextmanager
def running(
    folder: Path, *, first: str = "", stubborn: str = "DFL", **options: object
) -> Iterator[tuple[int, list[int]]]:
    program = RUN.format(first=first, stubborn=stubborn)
    argv = [sys.executable, "-c", program, str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **options) as run:  # type: ignore[call-overload]
        assert run.stdout is not None
        yield run.pid, [int(word) for word in run.stdout.readline().split()]
        run.kill()


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(processes: list[int], within: float = 30.0) -> bool:
    deadline = time.monotonic() + within
    while any(map(lives, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(lives, processes))


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT]
)
def test_what_a_run_started_ends_with_it_and_the_next_run_waits_for_that(tmp_path: Path, number: int) -> None:
    first = "signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    with running(tmp_path, first=first) as (run, children):
        assert len(children) == 2 and all(map(lives, children))
        os.kill(run, number)
        assert gone([run])
        with one_run(tmp_path, "deploy"):
            assert not any(map(lives, children))


def test_what_does_not_heed_sigterm_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, stubborn="IGN") as (run, children):
        os.kill(run, signal.SIGKILL)
        assert gone([run])
        with one_run(tmp_path, "deploy"):
            assert not any(map(lives, children))


def test_whoever_was_told_to_ignore_the_end_of_the_terminal_goes_on(tmp_path: Path) -> None:
    """As under nohup."""
    with running(tmp_path, first="signal.signal(signal.SIGHUP, signal.SIG_IGN)") as (run, children):
        os.kill(run, signal.SIGHUP)
        time.sleep(0.3)
        assert lives(run) and all(map(lives, children))
        os.kill(run, signal.SIGTERM)
        assert gone([run, *children])


def test_a_terminal_that_closes_ends_the_run_with_its_children(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    options = {"stderr": theirs, "stdin": theirs, "start_new_session": True}
    with running(tmp_path, **options) as (run, children):
        os.close(theirs)
        os.close(ours)
        os.kill(run, signal.SIGHUP)
        assert gone([run, *children])


def test_a_killed_guardian_leaves_no_lock(tmp_path: Path) -> None:
    with one_run(tmp_path, "deploy"):
        mark = os.environ["RUNBOOK_RUN"].rpartition("/")[2]
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark.encode() in words:
                os.kill(int(folder.name), signal.SIGKILL)
    with one_run(tmp_path, "deploy"):
        pass


def test_only_what_carries_the_mark_is_ended(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(argv, env={"RUNBOOK_RUN": "/one"}) as ours, subprocess.Popen(argv, env={}) as other:
        while not lives(ours.pid):
            pass
        assert guardian.end("/one") == []
        assert ours.wait(5) == -signal.SIGTERM and lives(other.pid)
        other.kill()


def test_the_run_that_asks_is_named_and_not_the_one_before(tmp_path: Path) -> None:
    with one_run(tmp_path, "deploy"):
        pass
    with (
        one_run(tmp_path, "verify", alone=False),
        pytest.raises(UsageError) as caught,
        one_run(tmp_path, "deploy"),
    ):
        pass
    assert (
        f"`verify`, process {os.getpid()}" in caught.value.observed and "deploy" not in caught.value.observed
    )


@pytest.mark.parametrize(
    "content", ["", "{", "null", '{"pid": "x"}', '{"pid": 1}\n{"pid": 999999999, "command": "x"}']
)
def test_a_damaged_lock_file_keeps_nobody_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.lock").write_text(content)
    with one_run(tmp_path, "deploy"):
        pass


@pytest.mark.parametrize("place", ["/proc/nothing", "/dev/null/below"])
def test_a_state_folder_that_cannot_be_used_is_named_in_one_line(place: str) -> None:
    with pytest.raises(UsageError, match=place) as caught, one_run(Path(place), "deploy"):
        pass
    assert "XDG_STATE_HOME" in caught.value.hint


def test_a_second_run_is_told_who_holds_the_cluster(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from runbook.cli.lock import one_run
with one_run(Path({str(tmp_path)!r}), "deploy"):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError) as caught, one_run(tmp_path, "deploy"):
            pass
        assert f"`deploy`, process {holder.pid}, since" in caught.value.observed
        with pytest.raises(UsageError), one_run(tmp_path, "verify", alone=False):
            pass
        holder.kill()
    with one_run(tmp_path, "deploy"):
        pass  # the lock went with its process


def test_runs_that_only_ask_go_beside_each_other_and_keep_a_deploy_out(tmp_path: Path) -> None:
    with (
        one_run(tmp_path, "verify", alone=False),
        one_run(tmp_path, "verify", alone=False),
        pytest.raises(UsageError),
        one_run(tmp_path, "deploy"),
    ):
        pass
    with one_run(tmp_path, "deploy"):
        pass
