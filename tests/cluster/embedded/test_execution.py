"""Long commands: their lines, their failure, and that they never outlive the call."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from runbook.cluster.embedded.execution import follow, heartbeat, output
from runbook.engine.errors import CommandFailed, CommandMissing, TimedOut


def _gone(pid: int) -> bool:
    """Whether the process has ended, also as a zombie whose parent is not us."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _wait_until_gone(pid: int) -> bool:
    end = time.monotonic() + 10
    while not _gone(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return _gone(pid)


def test_both_streams_arrive_line_by_line_with_the_environment_that_was_given() -> None:
    lines: list[str] = []
    follow(
        ["sh", "-c", 'echo "one $GIVEN"; echo two >&2; echo $LC_ALL'],
        lines.append,
        deadline=10,
        environment={"GIVEN": "x"},
    )
    assert lines == ["one x", "two", "C"]


def test_a_failure_quotes_the_end_of_the_output_and_the_command() -> None:
    with pytest.raises(CommandFailed) as caught:
        output(["sh", "-c", "echo the reason; exit 3"])
    assert "the reason" in str(caught.value)
    assert "status 3" in str(caught.value)


def test_a_command_that_is_not_there_says_how_to_get_it() -> None:
    with pytest.raises(CommandMissing) as caught:
        output(["no-such-command-of-ours"])
    assert caught.value.hint == "inv setup"


def test_the_deadline_ends_the_command_and_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    with pytest.raises(TimedOut):
        output(["sh", "-c", f"sleep 60 & echo $! > {child}; wait"], deadline=0.5)
    assert _wait_until_gone(int(child.read_text()))


def test_an_exception_in_the_reader_ends_the_command() -> None:
    pids: list[int] = []

    def stop(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(["sh", "-c", "echo $$; sleep 60"], stop, deadline=30)
    assert _wait_until_gone(pids[0])


def test_a_cancelled_command_ends() -> None:
    cancelled = threading.Event()
    with pytest.raises(CommandFailed):
        follow(
            ["sh", "-c", "echo started; sleep 60"],
            lambda _: cancelled.set(),
            deadline=30,
            cancelled=cancelled,
        )


def test_a_heartbeat_tells_at_once_and_stops_with_the_block() -> None:
    told: list[float] = []
    with heartbeat(told.append, every=0.01):
        while len(told) < 3:
            os.sched_yield()
    count = len(told)
    time.sleep(0.05)
    assert told[0] == 0.0
    assert len(told) == count
