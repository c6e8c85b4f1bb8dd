from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runbook.errors import UsageError
from runbook.lock import one_run


def test_a_second_run_is_told_who_holds_the_cluster(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from runbook.lock import one_run
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
