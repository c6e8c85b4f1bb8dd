"""The wire to the API server: one HTTP client for the pinned context, and the server's refusals in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import httpx

from runbook.cluster import Cluster
from runbook.errors import RunbookError, Unmeasurable
from runbook.world.commands import Commands
from runbook.world.kubeconfig import Connection, connection
from runbook.world.redaction import redact

READ_TIMEOUT = 30.0
CONNECT_TIMEOUT = 5.0


class Refused(RunbookError):
    """The API server answered, and did not do what was asked: forbidden, invalid, in conflict, not there."""

    def __init__(self, observed: str, *, code: int) -> None:
        super().__init__(observed, wanted="the request accepted", hint="inv cluster.status")
        self.code = code

    @property
    def not_found(self) -> bool:
        return self.code == httpx.codes.NOT_FOUND


class Wire:
    """Sends requests. Made anew when the kubeconfig changed, as it does when a cluster is made again."""

    def __init__(self, cluster: Cluster, commands: Commands) -> None:
        self._cluster = cluster
        self._commands = commands
        self._lock = RLock()
        self._seen: tuple[object, ...] = ()
        self._connection: Connection | None = None
        self._client: httpx.Client | None = None
        self.generation = 0
        """Counts the clients made: what was learnt over an older one no longer holds."""

    def connection(self) -> Connection:
        """Server, TLS and credential of the pinned context."""
        self._current()
        assert self._connection is not None
        return self._connection

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A response of any status. Raises `Unmeasurable` where the API server does not answer."""
        client = self._current()
        try:
            return client.request(method, path, **options)
        except httpx.TransportError as problem:
            raise _away(client, problem) from None

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A response of success. Raises `Refused` besides."""
        response = self.send(method, path, **options)
        if response.is_error:
            raise _refusal(method, path, response)
        return response

    def json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """A parsed response of success."""
        answer: dict[str, Any] = self.request(method, path, **options).json()
        return answer

    @contextmanager
    def lines(self, path: str, params: dict[str, str], timeout: float) -> Iterator[Iterator[str]]:
        """The lines of a streamed response, as they come, for at most `timeout` seconds of silence."""
        client = self._current()
        limits = httpx.Timeout(timeout, connect=CONNECT_TIMEOUT)
        try:
            with client.stream("GET", path, params=params, timeout=limits) as response:
                if response.is_error:
                    response.read()
                    raise _refusal("GET", path, response)
                yield response.iter_lines()
        except httpx.ReadTimeout:
            return
        except httpx.TransportError as problem:
            raise _away(client, problem) from None

    def _current(self) -> httpx.Client:
        with self._lock:
            kubeconfig = self._cluster.kubeconfig()
            try:
                stat = kubeconfig.path.stat()
                seen: tuple[object, ...] = (kubeconfig, stat.st_mtime_ns, stat.st_ino)
            except OSError:
                seen = (kubeconfig,)
            if self._client is None or seen != self._seen:
                self._connection = connection(kubeconfig, self._commands)
                self._client = httpx.Client(
                    base_url=self._connection.server,
                    headers=self._connection.headers,
                    transport=httpx.HTTPTransport(
                        verify=self._connection.tls, proxy=self._connection.proxy or None, retries=1
                    ),
                    timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
                    trust_env=False,
                )
                self._seen = seen
                self.generation += 1
            return self._client


def _away(client: httpx.Client, problem: Exception) -> Unmeasurable:
    return Unmeasurable(
        f"the Kubernetes API at {client.base_url} does not answer: {redact(str(problem) or type(problem).__name__)}",
        wanted="an API server that answers",
        hint="inv cluster.status",
    )


def _refusal(method: str, path: str, response: httpx.Response) -> RunbookError:
    """The API server's own words; a server error is no verdict on what was asked."""
    try:
        said = str(response.json().get("message") or response.reason_phrase)
    except ValueError:
        said = response.text.strip()[:300] or response.reason_phrase
    observed = f"{method} {path} was answered {response.status_code}: {redact(said)}"
    if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return Unmeasurable(observed, wanted="an API server that answers", hint="inv cluster.status")
    return Refused(observed, code=response.status_code)
