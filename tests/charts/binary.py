"""The real Helm for tests: on PATH, or the one that `inv setup` built.

Looked for at import, before tests get cache folders of their own.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.errors import CommandMissing
from runbook.engine.settings import Settings


def find_helm() -> Path | None:
    if on_path := shutil.which("helm"):
        return Path(on_path)
    try:
        return Toolchain(Settings()).binary("helm")
    except CommandMissing:
        return None  # what needs it skips itself


HELM = find_helm()
