"""Commands as a user of a field's cluster gives them: in the engine's namespaces, with the tools on PATH."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.settings import Settings
from tests.field.engine import FieldEngine
from tests.field.parts import toolchain

PROJECT = Path(__file__).resolve().parents[2]


class Inside:
    """`environment` is what the user has set: TODO_CLUSTER and the rest. State and hosts lines stay in the field."""

    def __init__(self, engine: FieldEngine, settings: Settings, environment: Mapping[str, str]) -> None:
        self.engine = engine
        tools = [toolchain(settings).binary("kind").parent]
        own = Toolchain(settings)
        tools += [own.binary(name).parent for name in ("kubectl", "helm")]
        path = os.pathsep.join([*map(str, tools), os.environ["PATH"]])
        self.environment = {
            "PATH": path,
            "XDG_STATE_HOME": str(engine.folder.parent / "state"),
            "XDG_CACHE_HOME": str(settings.cache.parent),
            **engine.environment,
            **environment,
        }

    def inv(self, *words: str, timeout: float = 1800.0, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(PROJECT / ".venv/bin/inv"), *words, timeout=timeout, **more)

    def run(self, *argv: str, timeout: float = 600.0, **more: str) -> subprocess.CompletedProcess[str]:
        """Whatever its exit code; standard error is among its output."""
        set_ = [f"{name}={value}" for name, value in {**self.environment, **more}.items()]
        return subprocess.run(
            [*self.engine.entry(), "env", "-C", str(PROJECT), *set_, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
