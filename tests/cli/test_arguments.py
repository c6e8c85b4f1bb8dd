"""Command lines that nothing may come of: one line, a suggestion, exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tasks
from runbook.cli.arguments import problem_of

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("deplyo", "there is no command 'deplyo'; did you mean deploy?"),
        ("verify.stp T049", "did you mean verify.step?"),
        ("xyzzy", "there is no command 'xyzzy'; try: inv --list"),
        ("cluster", "cluster is a group of commands; try: inv cluster.down, "),
        ("deploy --clustr kind", "inv deploy has no flag --clustr; did you mean --cluster?"),
        ("deploy -z", "inv deploy has no flag -z; try: inv deploy --help"),
        ("--nope deploy", "inv has no flag --nope"),
        ("deploy --cluster", "--cluster needs a value; try: inv deploy --help"),
        ("verify.step", "inv verify.step needs: 'step'"),
        ("verify.manifests shop.yaml", "inv verify.manifests takes no argument 'shop.yaml'"),
        ("build deploy", "2 commands at once: build deploy; try: inv build && inv deploy"),
        ("verify.step T001 status", "2 commands at once"),
        ("--dry deploy", "--dry is not supported"),
        ("-e deploy", "--echo is not supported"),
        ("-p deploy", "--pty is not supported"),
        ("--hide both deploy", "--hide is not supported"),
        ("-T 3 deploy", "--command-timeout is not supported"),
        ("deploy --report", "--report needs a value; try: inv deploy --help"),
        ("verify.step T001 --report --json", "--report needs a value"),
        ("verify.manifests --values -- --json", "--values needs a value"),
        ("verify.mutants network --only", "--only needs a value"),
        ("-R cleanup --yes", "--dry is not supported"),
        ("cleanup --yes --dry", "--dry is not supported"),
    ],
)
def test_it_is_refused_with_what_to_try(line: str, words: str) -> None:
    problem = problem_of(line.split(), tasks.ns.to_contexts())
    assert words in problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    "line",
    [
        "", "--list", "-l", "--help", "--help deploy", "deploy --help", "-V", "--complete -- inv deplyo", "deploy",
        "deploy --cluster kind --report a.xml --report b.html --json", "-r /tmp deploy", "verify.step T049", "verify",
        "verify.step --step T049", "tasks --json", "explain T049", "lint.tasks tasks.md",
    ],
)  # fmt: skip
def test_what_invoke_takes_is_taken(line: str) -> None:
    assert problem_of(line.split(), tasks.ns.to_contexts()) == ""


def test_a_process_ends_with_2_and_one_line_before_anything_runs() -> None:
    argv = [sys.executable, "-m", "invoke", "--dry", "verify.step", "T001"]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
