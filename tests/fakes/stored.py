"""An application with its database as fakes show it, to be broken by tests one field at a time."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from runbook.actions.security import secrets
from runbook.app.application import COMPONENTS, DATABASE_NAMESPACE
from runbook.app.blueprint import MADE_FROM
from runbook.app.secrets import secret_data
from runbook.clients.process.commands import CommandResult
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, Object, world_of

GOOD: dict[str, Any] = {
    "connected": True,
    "role": "todo_backend",
    "tls": "TLSv1.3",
    "cipher": "TLS_AES_256_GCM_SHA384",
    "certificate": True,
    "name": True,
}
PROCESS: dict[str, Any] = {
    "database_pool_size": 5,
    "database_max_overflow": 5,
    "database_connect_attempts": 4,
    "database_connect_timeout": 5.0,
    "database_retry_max_wait": 30.0,
}


def refused(error: str, state: str = "") -> dict[str, Any]:
    return {"connected": False, "error": error, "state": state}


def attempts() -> dict[str, dict[str, Any]]:
    """What a good backend's own code meets."""
    return {
        "own": dict(GOOD),
        "plain": refused("InvalidAuthorizationSpecificationError", "28000"),
        "authority": refused("SSLCertVerificationError"),
        "name": refused("SSLCertVerificationError"),
    }


class Server(FakeApi):
    """A cluster in which the backend's code and psql can be run; `may` are the roles that may sign in."""

    def __init__(self) -> None:
        super().__init__(*running.everything(), _server_pod())
        self.attempts = attempts()
        self.process = dict(PROCESS)
        self.may: dict[str, str] = {}
        self.ran: list[tuple[Sequence[str], str]] = []
        self.broken = ""

    @contextmanager
    def port_forward(self, pod: str, port: int, namespace: str) -> Iterator[int]:
        yield 45678

    def exec(
        self,
        pod: str,
        container: str,
        argv: Sequence[str],
        namespace: str,
        *,
        timeout: float = 30.0,
        stdin: str | None = None,
    ) -> CommandResult:
        self.ran.append((argv, stdin or ""))
        if self.broken:
            return CommandResult("", self.broken, 1)
        if argv[0] == "psql":
            return CommandResult(self._psql(argv, stdin), "", 0)
        if container == "mcp-server":
            return CommandResult("5\n", "", 0)
        asked = json.loads(stdin or "{}")
        answers = {name: self.attempts[name] for name in asked}
        return CommandResult(json.dumps({"settings": self.process, "attempts": answers}) + "\n", "", 0)

    def _psql(self, argv: Sequence[str], stdin: str | None) -> str:
        given = dict(each.removeprefix("--").partition("=")[::2] for each in argv if each.startswith("--"))
        role = next((each.removeprefix("--set=role=") for each in argv if "set=role=" in each), "")
        if str(given.get("file", "")).endswith("roles.sql"):
            self.may[role] = (stdin or "").strip()
        elif str(given.get("file", "")).endswith("retire.sql"):
            self.may.pop(role, None)
        return "\n".join(self.may)


class Database:
    """Answers by a part of the statement; lets those in whom the server lets in."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.answers: dict[str, list[Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.away = ""

    def query(
        self, statement: str, parameters: Any = (), *, key: str = "migration-database-url"
    ) -> list[Any]:
        self.asked.append((statement, key))
        if self.away:
            raise Unmeasurable(self.away)
        for part, rows in self.answers.items():
            if part in statement:
                return rows
        return []

    def refusal(self, url: str) -> str:
        parts = urlsplit(url)
        known = self.server.may.get(str(parts.username))
        return "" if known == unquote(parts.password or "") else "password authentication failed"


def _server_pod() -> Object:
    pod = running.pod(COMPONENTS[0])
    pod["metadata"] |= {
        "name": "postgres-0",
        "namespace": DATABASE_NAMESPACE,
        "uid": "uid-postgres",
        "labels": {"app.kubernetes.io/name": "postgres"},
    }
    pod["spec"]["containers"][0]["name"] = "postgres"
    pod["status"]["containerStatuses"][0]["name"] = "postgres"
    return pod


def make(settings: Settings | None = None, **clients: Any) -> tuple[World, Server, Database]:
    """A healthy application: Secrets made, roles let in."""
    api = Server()
    database = Database(api)
    given: dict[str, Any] = {"api": api, "database": database, "cluster": FakeCluster(), **clients}
    world = world_of(settings or Settings(), **given)
    secrets.ensure(world)
    api.may = content(api, "postgres-roles", DATABASE_NAMESPACE)
    return world, api, database


def content(api: FakeApi, name: str = "todo-secrets", namespace: str = "todo") -> dict[str, str]:
    """A Secret's values."""
    found = api.get("Secret", name, namespace) or {"data": {}}
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def put(
    api: FakeApi, values: Mapping[str, str | None], name: str = "todo-secrets", namespace: str = "todo"
) -> None:
    """Change values of a Secret; None takes the key away."""
    data = api.objects["Secret", namespace, name]["data"]
    for key, value in values.items():
        if value is None:
            del data[key]
        else:
            data[key] = base64.b64encode(value.encode()).decode()


def made_anew(world: World) -> None:
    """Every pod is one of the Secret as it is now."""
    for pod in world.api.list("Pod", "todo"):
        pod["metadata"]["annotations"] = {MADE_FROM: secret_data.digest(world, "todo-secrets", "todo")}
