"""Completion asked of real shells; a shell that is not installed is skipped."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import tasks
from runbook.cli import completion
from runbook.engine.errors import UsageError

WORDS = completion.words(tasks.ns)
ASK_SECONDS = 60.0

CASES = [
    ("inv depl", {"deploy"}),
    ("inv verify.step T04", {f"T04{number}" for number in range(10)}),
    ("inv verify.step AS-00", {f"AS-00{number}" for number in range(1, 10)}),
    ("inv explain FR-04", {"FR-040", "FR-041", "FR-042"}),
    ("inv deploy --clu", {"--cluster"}),
    ("inv deploy --json --cluster k", {"kind"}),
    ("inv verify.mutants net", {"network"}),
    ("inv plan --target sec", {"secure"}),
    ("inv logs --component back", {"backend"}),
    ("inv nothing-like-this-", set()),
]


def asked(argv: list[str], program: str) -> set[str]:
    shell = shutil.which(argv[0])
    if shell is None:
        pytest.skip(f"{argv[0]} is not installed")
    done = subprocess.run(
        [shell, *argv[1:], program], capture_output=True, text=True, timeout=ASK_SECONDS, check=False
    )
    assert done.stderr == ""
    return {line.split("\t")[0] for line in done.stdout.split("\n") if line}


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_bash_offers(line: str, offered: set[str]) -> None:
    *before, current = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in [*before, current])
    asking = f"COMP_WORDS=({quoted}); COMP_CWORD={len(before)}; _todo_runbook; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    assert asked(["bash", "--norc", "-c"], completion.bash(WORDS) + asking) == offered


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_zsh_offers(line: str, offered: set[str]) -> None:
    *before, current = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in [*before, current])
    stub = 'compdef() { :; }; compadd() { shift; print -rl -- "${(@M)@:#$PREFIX*}"; }; _files() { :; }\n'
    asking = f"words=({quoted}); CURRENT={len(before) + 1}; PREFIX='{current}'; _todo_runbook"
    assert asked(["zsh", "-f", "-c"], stub + completion.zsh(WORDS) + asking) == offered


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_fish_offers(line: str, offered: set[str]) -> None:
    asking = f"complete -C '{line}'"
    assert asked(["fish", "--no-config", "-c"], completion.fish(WORDS) + asking) == offered


def test_every_command_has_its_flags() -> None:
    for context in tasks.ns.to_contexts():
        flags = WORDS[str(context.name)]
        assert {flag for flag in context.flags if flag.startswith("--")} <= flags.keys()


def test_the_targets_of_a_plan_are_those_of_the_plan() -> None:
    from runbook.cli.plan import TARGETS

    assert set(WORDS["plan"]["--target"]) == set(TARGETS)


def test_clusters_are_those_with_a_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert completion.words(tasks.ns)["deploy"]["--name"] == ()
    (tmp_path / "todo-runbook" / "mine").mkdir(parents=True)
    assert completion.words(tasks.ns)["deploy"]["--name"] == ("mine",)


def test_another_shell_is_refused() -> None:
    with pytest.raises(UsageError, match="one of bash, zsh, fish"):
        completion.show(tasks.ns, "csh")
