"""The command surface as a user meets it: `inv` in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.catalogue import STEPS

PROJECT = Path(__file__).resolve().parent.parent
HEAVY = (
    "pydantic",
    "rich",
    "plumbum",
    "httpx",
    "kubernetes",
    "playwright",
    "python_on_whales",
    "psycopg",
    "yaml",
    "runbook.engine.step",
)


def inv(*arguments: str, folder: Path = PROJECT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with our tasks.py and an invoke.yaml of the test."""
    shutil.copy(PROJECT / "tasks.py", tmp_path / "tasks.py")
    return tmp_path


def test_the_list_has_one_line_for_each_command() -> None:
    done = inv("--list", COLUMNS="80")
    lines = [line for line in done.stdout.splitlines()[2:] if line.strip()]
    assert done.returncode == 0
    assert [re.match(r"  (\S+)", line) is not None for line in lines] == [True] * len(lines)
    assert all(len(line) <= 80 for line in lines)
    names = {line.split()[0] for line in lines}
    assert names >= {
        "setup",
        "build",
        "deploy",
        "verify.all",
        "verify.step",
        "status",
        "tasks",
        "plan",
        "cleanup",
    }
    assert names >= {"cluster.up", "cluster.down", "cluster.status", "cluster.kubeconfig", "test"}
    assert names >= {"secure", "verify.mutants", "verify.security"}


def test_listing_imports_nothing_heavy() -> None:
    program = f"import sys, tasks; print([name for name in {HEAVY!r} if name in sys.modules])"
    bare = "import sys, invoke; from invoke.util import yaml; print([n for n in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", bare], capture_output=True, text=True, check=True).stdout
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    ours = [name for name in re.findall(r"'([\w.]+)'", done.stdout) if f"'{name}'" not in loaded]
    assert ours == []


def test_all_steps_are_listed_as_text_and_as_json() -> None:
    ids = [step.id for step in STEPS]
    assert re.findall(r"^ .*\b(T\d{3})  \w", inv("tasks").stdout, re.MULTILINE) == ids
    rows = json.loads(inv("tasks", "--json").stdout)["steps"]
    assert [row["id"] for row in rows] == ids
    assert {"printed", "title", "phase", "story", "needs", "status", "built"} <= rows[0].keys()
    assert next(row for row in rows if row["id"] == "T079")["printed"] == "T089"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("verify.step", "T089", "--printed"), "T079 'Dapr is installed on the cluster'"),
        (("verify.step", "T999"), "there is no step 'T999'"),
        (("status", "--cluster", "k3s"), "'k3s' by --cluster"),
        (("status", "--name", "Not Good"), "by --name"),
        (("verify.step", "T001", "--report", "x.pdf"), "--report x.pdf"),
        (("verify.manifests", "--path", "nowhere"), "there is no nowhere"),
        (("verify.mutants", "everything"), "no mutants named 'everything'"),
        (("verify.mutants", "security", "--only", "unheard of"), "no mutant of security"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(arguments: tuple[str, ...], words: str) -> None:
    done = inv(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("runbook:\n  clustr: kind\n", "runbook.clustr in invoke.yaml"),
        ("runbook:\n  cluster: k3s\n", "'k3s' in invoke.yaml"),
        ("runbook: kind\n", "is not a mapping"),
        ("runbook:\n  database_url: postgresql://u:p@h/d\n", "the secret database_url"),
        ("runbook: [\n", "cannot be read"),
    ],
)
def test_a_bad_file_is_one_line_and_exit_2(elsewhere: Path, text: str, words: str) -> None:
    (elsewhere / "invoke.yaml").write_text(text)
    done = inv("tasks", folder=elsewhere)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_bad_variable_is_one_line_and_exit_2() -> None:
    done = inv("tasks", TODO_CLUSTER="k3s")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "by TODO_CLUSTER" in done.stderr


def test_an_empty_section_is_all_defaults(elsewhere: Path) -> None:
    (elsewhere / "invoke.yaml").write_text("runbook:\n")
    assert inv("tasks", folder=elsewhere).returncode == 0


def test_json_goes_alone_to_standard_output(tmp_path: Path) -> None:
    report = tmp_path / "out" / "run.xml"
    done = inv("verify.step", "126", "--json", "--report", str(report))
    document = json.loads(done.stdout)
    assert document["mode"] == "verify"
    assert done.returncode == document["exit_code"] == 3
    assert "T126" in done.stderr
    assert report.read_text().startswith("<?xml")
