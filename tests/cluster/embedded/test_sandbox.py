"""The sandbox, for real: namespaces need root and Debian's s6, else these tests have nothing to look at."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.cluster.embedded import cgroups
from runbook.cluster.embedded.sandbox import Sandbox, ServiceDefinition, require
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError, TimedOut, UsageError
from runbook.engine.waiting import NotYet, eventually

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("s6-svscan") is None, reason="needs root and s6 (inv setup)"
)

SLEEPER = {"sleeper": ServiceDefinition(["sleep", "1000"])}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    found = Sandbox(
        "todo-test",
        tmp_path / "sandbox",
        network=True,
        covered=("/var/log",),
        pretended={"/proc/sys/kernel/panic": "77\n"},
    )
    yield found
    found.stop()
    assert found.leftovers() == []


def state_of(sandbox: Sandbox, name: str, other_than: str = "") -> str:
    """The state of a service once it is up, and not as `other_than`."""

    def look() -> str:
        state = sandbox.states().get(name, "missing")
        if not state.startswith("up") or (other_than and other_than in state):
            raise NotYet(state)
        return state

    return eventually(look, timeout=20, every=0.05, wanted=f"{name} up")


def inner_pid(state: str) -> str:
    return state.partition("pid ")[2].rstrip(")")


@needs_root
def test_a_service_runs_and_a_second_start_changes_nothing(sandbox: Sandbox) -> None:
    assert sandbox.start(SLEEPER) is True
    pid, state = sandbox.pid(), state_of(sandbox, "sleeper")
    assert sandbox.start(SLEEPER) is False
    assert sandbox.pid() == pid
    assert inner_pid(state) in state_of(sandbox, "sleeper")


@needs_root
def test_it_sees_little_of_the_machine_and_the_machine_nothing_of_it(sandbox: Sandbox) -> None:
    panic = Path("/proc/sys/kernel/panic").read_text()
    sandbox.start(SLEEPER)
    assert sandbox.run(["hostname"]).strip() == "todo-test"
    assert sandbox.run(["sh", "-c", "ls /var/log"]) == ""
    assert sandbox.run(["cat", "/proc/sys/kernel/panic"]).strip() == "77"
    assert sandbox.run(["cat", "/proc/1/comm"]).strip() == "s6-svscan"
    assert [line for line in sandbox.run(["ip", "-o", "link"]).splitlines() if ": lo:" not in line] == []
    assert str(sandbox.folder / "var/log") in sandbox.run(["cat", "/proc/self/mountinfo"])
    assert str(sandbox.folder) not in Path("/proc/self/mountinfo").read_text()
    assert Path("/proc/sys/kernel/panic").read_text() == panic


@needs_root
def test_a_killed_service_is_started_again(sandbox: Sandbox) -> None:
    sandbox.start(SLEEPER)
    state = state_of(sandbox, "sleeper")
    sandbox.run(["kill", "-9", inner_pid(state)])
    again = state_of(sandbox, "sleeper", other_than=f"(pid {inner_pid(state)})")
    assert inner_pid(again) != inner_pid(state)


@needs_root
def test_changed_added_and_removed_services(sandbox: Sandbox) -> None:
    sandbox.start(
        {"kept": ServiceDefinition(["sleep", "1001"]), "gone": ServiceDefinition(["sleep", "1002"])}
    )
    kept = state_of(sandbox, "kept")
    assert sandbox.start(
        {"kept": ServiceDefinition(["sleep", "1001"]), "new": ServiceDefinition(["sleep", "1003"])}
    )
    state_of(sandbox, "new")
    assert f"(pid {inner_pid(kept)})" in state_of(sandbox, "kept")

    def gone() -> None:
        if "sleep\x001002" in sandbox.run(["sh", "-c", "cat /proc/[0-9]*/cmdline"]):
            raise NotYet("it still runs")

    eventually(gone, timeout=10, every=0.05, wanted="the removed service ended")
    assert set(sandbox.states()) == {"kept", "new"}


@needs_root
def test_a_killed_sandbox_is_seen_as_gone_and_starts_again(sandbox: Sandbox) -> None:
    sandbox.start(SLEEPER)
    first = sandbox.pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)

    def ended() -> None:
        if sandbox.running():
            raise NotYet("it still runs")
        if left := [word for word in sandbox.leftovers() if not word.startswith("cgroup")]:
            raise NotYet(f"the kernel has not yet ended {', '.join(left)}")

    eventually(ended, timeout=10, every=0.02, wanted="the sandbox ended")
    assert sandbox.start(SLEEPER) is True
    assert sandbox.pid() not in (None, first)


@needs_root
def test_leftovers_names_what_is_there(sandbox: Sandbox) -> None:
    sandbox.start(SLEEPER)
    words = " ".join(sandbox.leftovers())
    assert "s6-svscan" in words
    assert f"/{cgroups.PARENT}/todo-test-" in words
    sandbox.stop()
    assert sandbox.leftovers() == []


@needs_root
def test_what_fails_inside_is_told(sandbox: Sandbox) -> None:
    with pytest.raises(RunbookError, match="not running"):
        sandbox.run(["true"])
    sandbox.start(SLEEPER)
    with pytest.raises(CommandFailed, match="status 3: no;"):
        sandbox.run(["sh", "-c", "echo no >&2; exit 3"])
    with pytest.raises(TimedOut, match="sleep 9"):
        sandbox.run(["sleep", "9"], timeout=0.2)


def test_a_folder_that_would_be_hidden_is_refused() -> None:
    with pytest.raises(UsageError, match="/run"):
        Sandbox("todo-test", Path("/run/user/0/state"), network=False)


def test_only_root_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(RunbookError, match="needs root"):
        Sandbox("todo-test", tmp_path / "sandbox", network=False).start(SLEEPER)


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(CommandMissing, match=r"no-such-program.*apt-get install a-package"):
        require({"sh": "dash", "no-such-program": "a-package"})
