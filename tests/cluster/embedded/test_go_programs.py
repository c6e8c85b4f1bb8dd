"""The tests of our own Go programs, which need the modules that `inv setup` downloads; no network is asked here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runbook.cluster.embedded import builds, parts


@pytest.mark.parametrize("folder", ["storage-provisioner"])
def test_the_go_programs_pass_their_own_tests(folder: str) -> None:
    if shutil.which("go") is None:
        pytest.skip("no Go on this machine")
    caches = {"GOCACHE": str(Path.home() / ".cache" / "go-build"), "GOPROXY": "off"}
    done = subprocess.run(
        ["go", "test", "-vet=off", "./..."],
        cwd=parts.HERE / "go" / folder,
        env={**os.environ, **builds.go_environment(), **caches},
        capture_output=True,
        text=True,
        check=False,
    )
    if "module lookup disabled" in done.stdout + done.stderr:
        pytest.skip("the modules are not downloaded yet: inv setup")
    assert done.returncode == 0, done.stdout + done.stderr
