"""A way to the ingress where no address of the cluster is reached from here: `kubectl port-forward`, watched by us."""

from __future__ import annotations

import re
import select
import time
from typing import TYPE_CHECKING

from runbook.clients.target import HTTP_PORT
from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from runbook.clients.process.commands import Commands
    from runbook.clients.target import Kubeconfig

START_SECONDS = 15.0
ADDRESS = "127.0.0.1"
_LISTENS = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d+)")


class Forward:
    """One forwarded Service for as long as this run lasts; started at the first question, and again where it ended."""

    def __init__(
        self,
        commands: Commands,
        kubectl: str | Path,
        kubeconfig: Kubeconfig,
        namespace: str,
        service: str,
        port: int = HTTP_PORT,
    ) -> None:
        self._commands = commands
        target = [
            "--namespace",
            namespace,
            "port-forward",
            f"--address={ADDRESS}",
            f"service/{service}",
            f":{port}",
        ]
        file: list[str | Path] = ["--kubeconfig", kubeconfig.path, "--context", kubeconfig.context]
        self._argv: list[str | Path] = [kubectl, *file, *target]
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def port(self) -> int:
        """The local port that leads to the Service's. Raises `Unmeasurable` where none does."""
        if self._process is None or self._process.poll() is not None:
            self._process = self._commands.start(self._argv)
            self._port = self._listening(self._process)
        return self._port

    def _listening(self, process: subprocess.Popen[bytes]) -> int:
        assert process.stdout is not None and process.stderr is not None
        deadline, said = time.monotonic() + START_SECONDS, b""
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([process.stdout], [], [], left)
            line = process.stdout.readline() if readable else b""
            if found := _LISTENS.search(line):
                return int(found[1])
            if not line:
                break
            said += line
        process.terminate()
        words = (said + (process.stderr.read() or b"")).decode(errors="replace").strip()
        raise Unmeasurable(
            f"kubectl port-forward does not listen: {words or 'no output'}",
            wanted="a way to the ingress from this machine",
            hint=" ".join(map(str, self._argv)),
        )
