"""Service folders: what is unchanged is not touched, what is gone is taken out, nothing is interpreted by the shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runbook.cluster.embedded import services
from runbook.cluster.embedded.services import ServiceDefinition


def test_changes_are_told_apart(tmp_path: Path) -> None:
    first = {"a": ServiceDefinition(["sleep", "1"]), "b": ServiceDefinition(["sleep", "2"])}
    assert services.write(tmp_path, first) == ({"a", "b"}, set())
    assert services.write(tmp_path, first) == (set(), set())
    second = {"a": ServiceDefinition(["sleep", "3"])}
    assert services.write(tmp_path, second) == ({"a"}, {"b"})
    assert [path.name for path in (tmp_path / "services").iterdir()] == ["a"]


def test_run_files_are_private(tmp_path: Path) -> None:
    services.write(tmp_path, {"a": ServiceDefinition(["true"], {"SECRET": "x"})})
    assert (tmp_path / "services/a/run").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("word", ["plain", "two words", "$HOME", "`id`", "it's", "a;b", 'say "x"', "\\n"])
def test_arguments_and_values_arrive_as_they_are(tmp_path: Path, word: str) -> None:
    definition = ServiceDefinition(["sh", "-c", 'printf "%s|%s" "$1" "$VALUE"', "sh", word], {"VALUE": word})
    script = tmp_path / "run"
    script.write_text(definition.script())
    done = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{word}|{word}"


def test_what_comes_before_must_succeed(tmp_path: Path) -> None:
    script = tmp_path / "run"
    script.write_text(ServiceDefinition(["echo", "started"], before=[["false"]]).script())
    done = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "started" not in done.stdout
