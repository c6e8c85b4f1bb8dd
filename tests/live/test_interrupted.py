"""Runs that are ended at any moment, by any signal, leave nothing behind; one further deploy is green.

A few with fixed moments; `bench/kill_loop.py --count N` does as many as are asked for.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from commands import ENVIRONMENT, LONGEST, PROJECT, Answer, inv

SEED = 7
COUNT = 6


def test_what_is_ended_leaves_no_process_no_lock_and_nothing_planted(deployed: Answer) -> None:
    assert deployed.code == 0, deployed.stderr
    argv = [sys.executable, "bench/kill_loop.py", f"--count={COUNT}", f"--seed={SEED}", "--longest=14"]
    done = subprocess.run(
        argv, cwd=PROJECT, env=os.environ | ENVIRONMENT, capture_output=True, text=True, timeout=LONGEST
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = re.search(r"^(\d+) interruptions", done.stdout, re.MULTILINE)
    assert made is not None, done.stdout
    assert int(made[1]) >= COUNT - 2, f"the others had ended before: {done.stdout}"
    removed = inv("dapr.remove")  # which was interrupted half-way in
    assert removed.code == 0, removed.stderr or removed.stdout
