"""Services as processes of their own, on free ports, their output kept in a file."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).resolve().parents[3]
BACKEND = ROOT / "backend"
MCP_SERVER = ROOT / "mcp-server"

COMMAND_SECONDS = 600
"""For one command; generous, since a busy machine is no failure."""
_START_SECONDS = 180
_STOP_SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """`variables` with what any process needs, and nothing else of this shell."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8", **variables}


def executable(project: Path, name: str) -> str:
    """A command of a project; its locked environment is made when it is another project than this one's."""
    own = Path(sys.executable).parent
    if own.is_relative_to(project):
        return str(own / name)
    uv = os.environ.get("UV", "uv")
    python = os.path.realpath(sys.executable)
    wanted = [uv, "sync", "--frozen", "--quiet", "--project", str(project), "--python", python]
    surroundings = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    subprocess.run(wanted, check=True, timeout=COMMAND_SECONDS, env=surroundings)
    return str(project / ".venv" / "bin" / name)


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far; a line that is not JSON fails here."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def service(command: Sequence[str], variables: Mapping[str, str], log: Path) -> Iterator[Service]:
    """Start `command` with PORT set, wait until /health answers, and stop it with SIGTERM at the end."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    surroundings = environment({**variables, "HOST": "127.0.0.1", "PORT": str(port)})
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=surroundings, stdout=output, stderr=subprocess.STDOUT)
    try:
        _await_health(url, process, log)
        yield Service(url, log, process)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _await_health(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx2.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the service did not start (exit code {process.poll()}):\n{log.read_text()}")
