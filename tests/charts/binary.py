"""The real Helm for tests: on PATH, or the one that `inv setup` built.

Looked for at import, before tests get cache folders of their own.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.settings import Settings


def find_helm() -> Path | None:
    on_path = shutil.which("helm")
    built = Toolchain(Settings()).binary("helm")
    return Path(on_path) if on_path else built if built.is_file() else None


HELM = find_helm()
