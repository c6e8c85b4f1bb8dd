"""Who counts as a sandbox's process 1: impostors of every kind, for real. Namespaces and control groups need root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from runbook.cluster.embedded import cgroups, processes
from runbook.cluster.embedded.processes import TOKEN, Launch
from runbook.cluster.embedded.sandbox import Sandbox, ServiceDefinition
from runbook.engine.errors import RunbookError
from runbook.engine.waiting import NotYet, eventually

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("s6-svscan") is None, reason="needs root and s6 (inv setup)"
)
SLEEPER = {"sleeper": ServiceDefinition(["sleep", "1000"])}
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
FIRST_OF_A_CONTAINER = ("unshare", "--pid", "--mount", "--fork", "--kill-child")
"""As runc makes it: number 1 one level down, root, in the machine's own user namespace."""

ROOT_OF_ANOTHER_USER_NAMESPACE = (*FIRST_OF_A_CONTAINER, "--user", "--map-root-user")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    found = Sandbox("todo-impostor", tmp_path / "sandbox", network=True)
    yield found
    found.stop()
    assert found.leftovers() == []


@contextmanager
def impostor(sandbox: Sandbox, words: tuple[str, ...], token: str = "", script: str = ":") -> Iterator[int]:
    """A process 1 that wears all the labels it can; yields its number, as the machine has it."""
    labels = {
        "PATH": os.environ["PATH"],
        "TODO_SANDBOX_FOLDER": str(sandbox.folder),
        "TODO_SANDBOX_NAME": sandbox.name,
        TOKEN: token,
    }
    command = [*words, "sh", "-c", f"{script}; echo ready; exec sleep 600"]
    with subprocess.Popen(command, env=labels, stdout=subprocess.PIPE, text=True, cwd="/") as outer:
        assert outer.stdout is not None
        try:
            assert outer.stdout.readline() == "ready\n"
            children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
            (pid,) = children or [outer.pid]
            yield int(pid)
            assert outer.poll() is None, "what is not ours was ended"
        finally:
            outer.kill()
            outer.wait()


@contextmanager
def moved_into(sandbox: Sandbox, pid: int) -> Iterator[None]:
    """Only root can do this to a process."""
    back = []
    for group in cgroups.create(sandbox._group):
        (group / "cgroup.procs").write_text(str(pid))
        back.append(group.parent.parent / "cgroup.procs")
    with ExitStack() as stack:
        for file in back:
            stack.callback(file.write_text, str(pid))
        yield


@needs_root
def test_nothing_is_run_in_the_namespaces_of_a_stranger(sandbox: Sandbox) -> None:
    """The attack: after a reboot, a stranger's process carries our variable and has programs of its own mounted."""
    sandbox.folder.mkdir(mode=0o700)
    (sandbox.folder / "services" / "sleeper").mkdir(parents=True)
    place = Path("/tmp") / f"todo-impostor-{os.getpid()}"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    try:
        fake, proof = place / "fake", place / "proof"
        fake.write_text(f"#!/bin/sh\nid -u >>{proof}\necho true 1 1\n")
        fake.chmod(0o755)
        programs = [path for name in ("s6-svstat", "ip", "true") if (path := shutil.which(name))]
        mounting = " && ".join(f"mount --bind {fake} {path}" for path in programs)
        stranger = (
            *NOBODY,
            "unshare",
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--mount",
            "--kill-child",
        )
        with impostor(sandbox, stranger, script=mounting) as pid:
            (sandbox.folder / "pid").write_text(str(pid))
            assert Path(f"/proc/{pid}").stat().st_uid == 65534
            assert not sandbox.running()
            assert sandbox.states() == {"sleeper": "down"}
            with pytest.raises(RunbookError, match="not running"):
                sandbox.run(["true"])
            sandbox.start(SLEEPER)
            assert sandbox.pid() not in (None, pid)
            sandbox.run(["true"])
            sandbox.stop()
            assert sandbox.leftovers() == []
        assert not proof.exists(), f"run as user {proof.read_text()}"
    finally:
        shutil.rmtree(place)


@needs_root
@pytest.mark.parametrize("words", [FIRST_OF_A_CONTAINER, ROOT_OF_ANOTHER_USER_NAMESPACE])
def test_a_container_that_wears_our_labels_is_not_ours(sandbox: Sandbox, words: tuple[str, ...]) -> None:
    """Even with the true token: it is not in our control group, and only root could put it there."""
    sandbox.folder.mkdir(mode=0o700)
    note = Launch.prepare(sandbox._note)
    with impostor(sandbox, words, note.token) as pid:
        for claimed in (note, note.seen(pid)):
            claimed.write(sandbox._note)
            assert sandbox.pid() is None
            sandbox.stop()


@needs_root
def test_root_of_another_user_namespace_is_not_ours_in_our_group_either(sandbox: Sandbox) -> None:
    sandbox.folder.mkdir(mode=0o700)
    note = Launch.prepare(sandbox._note)
    with impostor(sandbox, ROOT_OF_ANOTHER_USER_NAMESPACE, note.token) as pid, moved_into(sandbox, pid):
        assert processes.members(cgroups.existing(sandbox._group)) == [pid]  # the control
        assert sandbox.pid() is None
        assert any(f"process {pid}" in word for word in sandbox.leftovers())


@needs_root
@pytest.mark.parametrize("labels", ["none", "wrong token", "another life"])
def test_a_process_in_our_group_that_was_not_launched_by_us_is_refused_and_left(
    sandbox: Sandbox, labels: str
) -> None:
    sandbox.folder.mkdir(mode=0o700)
    note = Launch.prepare(sandbox._note)
    token = {"none": "", "wrong token": "x" * 64, "another life": note.token}[labels]
    with impostor(sandbox, FIRST_OF_A_CONTAINER, token) as pid, moved_into(sandbox, pid):
        if labels == "another life":
            assert (
                sandbox.pid() == pid
            )  # the control: with all its labels and no earlier life noted it would be
            seen = note.seen(pid)
            for stale in (
                replace(seen, ticks=seen.ticks - 1),
                replace(seen, pid=pid + 1),
                replace(seen, boot="an earlier one"),
            ):
                stale.write(sandbox._note)
                with pytest.raises(RunbookError, match="not the one that was started"):
                    sandbox.pid()
        for act in (sandbox.running, sandbox.stop, lambda: sandbox.start(SLEEPER)):
            with pytest.raises(RunbookError, match=f"process {pid} .*not the one that was started"):
                act()


@needs_root
def test_a_launch_that_was_killed_before_its_note_was_complete_is_known_by_its_token(
    sandbox: Sandbox,
) -> None:
    sandbox.start(SLEEPER)
    pid, note = sandbox.pid(), Launch.read(sandbox._note)
    assert note is not None and note.pid == pid
    replace(note, pid=0, ticks=0, boot="").write(sandbox._note)
    assert sandbox.pid() == pid
    assert Launch.read(sandbox._note) == note


@needs_root
def test_one_whose_folder_was_deleted_is_ended_but_not_entered(sandbox: Sandbox) -> None:
    sandbox.start(SLEEPER)
    pid = sandbox.pid()
    shutil.rmtree(sandbox.folder, ignore_errors=True)
    other = Sandbox(sandbox.name, sandbox.folder, network=True)
    assert other.pid() is None and other.abandoned()
    with pytest.raises(RunbookError, match="not running"):
        other.run(["true"])
    other.start(SLEEPER)
    assert other.pid() not in (None, pid) and not other.abandoned()


@needs_root
def test_the_processes_of_a_container_further_down_are_none_of_ours(sandbox: Sandbox) -> None:
    sandbox.start({"inner": ServiceDefinition(["unshare", "--pid", "--fork", "sleep", "1000"])})

    def both() -> None:
        commands = [processes.command(pid) for pid in processes.members(cgroups.existing(sandbox._group))]
        if "sleep 1000" not in commands:
            raise NotYet(str(commands))

    eventually(both, timeout=10, every=0.05, wanted="the inner container")
    assert processes.firsts(cgroups.existing(sandbox._group)) == [sandbox.pid()]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pid": 1}', json.dumps({"id": "a", "token": "short"}), "\0"], ids=repr
)
def test_a_damaged_note_makes_nobody_known(tmp_path: Path, text: str) -> None:
    (tmp_path / "process.json").write_text(text)
    assert Launch.read(tmp_path / "process.json") is None


def test_a_sandbox_keeps_its_id_and_gets_a_new_token_with_each_launch(tmp_path: Path) -> None:
    first, second = (Launch.prepare(tmp_path / "process.json") for _ in range(2))
    assert first.id == second.id and first.token != second.token
    assert (tmp_path / "process.json").stat().st_mode & 0o777 == 0o600
    assert Launch.read(tmp_path / "process.json") == second
