"""Connections to PostgreSQL tried from the backend's pod, by the backend's own code: the right one, and wrong ones.

What the driver makes of a URL, and which server it takes for the right one, is known for certain only where it runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND
from runbook.app.sidecars import application_pods
from runbook.checks.security.inside import FOLDER
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import redact

if TYPE_CHECKING:
    from runbook.world import World

SECONDS = 40.0
"""For all attempts of one pod: each has the backend's own deadline."""

NO_CERTIFICATE = "SSLCertVerificationError"
"""How a server is refused whose certificate is not the right one."""

OWN, PLAIN, AUTHORITY, NAME = "own", "plain", "authority", "name"


@dataclass(frozen=True, slots=True)
class Dialled:
    """What came of one attempt."""

    connected: bool
    role: str = ""
    tls: str = ""
    cipher: str = ""
    certificate: bool = False
    """The server's certificate was checked against an authority."""
    name: bool = False
    """And its name against the host's."""
    error: str = ""
    """The kind of error, such as InvalidPasswordError."""
    state: str = ""
    """SQLSTATE, where the server itself refused."""

    @property
    def words(self) -> str:
        if self.connected:
            return f"connected as {self.role}{f' with {self.tls}' if self.tls else ' in plain text'}"
        return f"{self.error}{f' ({self.state})' if self.state else ''}"


@dataclass(frozen=True, slots=True)
class Answers:
    pod: str
    settings: Mapping[str, Any]
    """The process's own settings of the database, without the URL."""
    attempts: Mapping[str, Dialled]


def usual(world: World) -> Answers:
    """The container's own URL; the same in plain text, with another authority, by the server's address: once a run."""
    pod = backend_pods(world)[0]
    return world.once(
        ("dialled", pod["metadata"]["uid"]),
        lambda: dial(
            world,
            pod,
            {
                OWN: {},
                PLAIN: {"sslmode": "disable"},
                AUTHORITY: {"authority": _stranger()},
                NAME: {"address": True},
            },
        ),
    )


def dial(world: World, pod: Mapping[str, Any], attempts: Mapping[str, Mapping[str, Any]]) -> Answers:
    """Raises `Unmeasurable` where the program cannot run in the pod."""
    name = workloads.name(pod)
    said = world.api.exec(
        name,
        BACKEND.name,
        ["python3", "-I", "-c", (FOLDER / "connect.py").read_text()],
        world.settings.namespace,
        timeout=SECONDS,
        stdin=json.dumps(attempts) + "\n",
    )
    try:
        answer = json.loads(said.stdout.splitlines()[-1])
        found = {each: Dialled(**told) for each, told in answer["attempts"].items()}
        return Answers(name, answer["settings"], found)
    except (ValueError, IndexError, KeyError, TypeError):
        last = said.stderr.strip().splitlines()[-1:] or ["nothing"]
        raise Unmeasurable(
            f"the backend's own code could not be run in pod {name}: {redact(last[0])[:200]}",
            wanted="an attempt to connect from the backend's container",
            hint=f"kubectl --namespace {world.settings.namespace} logs {name} --container {BACKEND.name} --tail 30",
        ) from None


def backend_pods(world: World) -> list[dict[str, Any]]:
    """The backend's running pods. Raises `Unmeasurable` where there is none."""
    pods = [pod for pod in application_pods(world) if workloads.component(pod) == BACKEND.name]
    running = [pod for pod in pods if not workloads.pod_problem(pod)]
    if not running:
        words = workloads.describe([workloads.pod_problem(pod) for pod in pods])
        raise Unmeasurable(
            words or "there is no pod of the backend",
            wanted="a running backend",
            hint="inv verify.step T049",
        )
    return running


@cache
def _stranger() -> str:
    """An authority that certified nobody."""
    from runbook.app.secrets.authority import certify

    return certify(["nobody.invalid"]).authority
