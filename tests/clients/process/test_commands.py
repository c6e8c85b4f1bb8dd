"""Commands: argument lists, deadlines for the whole group, redaction, errors that say what to try."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from runbook.clients.process.commands import Commands
from runbook.engine.errors import CommandFailed, CommandMissing, TimedOut, Unmeasurable
from runbook.engine.redaction import conceal
from runbook.engine.settings import Settings


@pytest.fixture
def commands() -> Commands:
    return Commands(Settings())


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_returns_both_streams_and_the_status(commands: Commands) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    result = commands.run(python(code), timeout=20, check=False)
    assert (result.stdout, result.stderr, result.code) == ("out\n", "err\n", 3)


def test_arguments_reach_the_command_unchanged(commands: Commands) -> None:
    odd = "a b;$(id)|'\"*"
    result = commands.run([*python("import sys; print(sys.argv[1], end='')"), odd], timeout=20)
    assert result.stdout == odd


def test_the_language_is_fixed_and_the_environment_added(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    code = "import os; print(os.environ['LC_ALL'], os.environ['MORE'])"
    assert commands.run(python(code), timeout=20, env={"MORE": "here"}).stdout == "C here\n"


def test_input_comes_by_stdin_and_is_empty_otherwise(commands: Commands) -> None:
    read = "import sys; print(sys.stdin.read())"
    assert commands.run(python(read), timeout=20, stdin="given").stdout == "given\n"
    assert commands.run(python(read), timeout=20).stdout == "\n"


def test_a_failure_shows_the_command_and_its_last_words(commands: Commands) -> None:
    with pytest.raises(CommandFailed) as caught:
        commands.run(python("import sys; sys.exit('no such release')"), timeout=20)
    assert "exit status 1: no such release" in caught.value.observed
    assert caught.value.hint.startswith(sys.executable)


def test_a_missing_command_cannot_be_measured(commands: Commands) -> None:
    with pytest.raises(CommandMissing) as caught:
        commands.run(["no-such-command-here"], timeout=20)
    assert isinstance(caught.value, Unmeasurable)
    assert caught.value.hint == "install no-such-command-here"


def test_secrets_leave_every_error(commands: Commands) -> None:
    conceal("correct-horse-battery")
    with pytest.raises(CommandFailed) as caught:
        commands.run(
            [*python("import sys; sys.exit('refused correct-horse-battery')"), "correct-horse-battery"],
            timeout=20,
        )
    assert "correct-horse" not in str(caught.value)
    assert "***" in caught.value.hint


def test_settings_secrets_are_known_from_the_start() -> None:
    commands = Commands(Settings(openai_api_key=SecretStr("key-of-the-settings")))
    with pytest.raises(CommandFailed) as caught:
        commands.run(python("import sys; sys.exit('key-of-the-settings')"), timeout=20)
    assert "key-of-the-settings" not in str(caught.value)


def test_the_deadline_ends_the_children_too(commands: Commands, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
        "print('waiting for the server', flush=True)\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(TimedOut) as caught:
        commands.run(python(code), timeout=3)
    assert "did not end within 3 s" in caught.value.observed
    assert "waiting for the server" in caught.value.observed
    assert _gone(int(note.read_text()))


def _gone(pid: int) -> bool:
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False
