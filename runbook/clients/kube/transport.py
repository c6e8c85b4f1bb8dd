"""The wire to the API server: one client for the pinned context, and the server's refusals in words."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import RLock
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import ReadTimeoutError

from runbook.clients.process.proxies import FOREIGN
from runbook.clients.target import Target
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.redaction import redact

if TYPE_CHECKING:
    import urllib3

    from runbook.clients.kube.client import Client

READ_TIMEOUT = 30.0


class Refused(RunbookError):
    """The API server answered, and did not do what was asked: forbidden, invalid, in conflict, not there."""

    def __init__(self, observed: str, *, code: int) -> None:
        super().__init__(observed, wanted="the request accepted", hint="inv cluster.status")
        self.code = code

    @property
    def not_found(self) -> bool:
        return self.code == HTTPStatus.NOT_FOUND


class Expired(Exception):
    """A watch can no longer be continued from its resource version (410 Gone): list again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answered, of any status."""

    status_code: int
    text: str
    warnings: tuple[str, ...] = ()
    """What the API server warns of, besides its answer."""


class Wire:
    """Sends requests. Made anew when the kubeconfig changed, as it does when a cluster is made again."""

    def __init__(self, cluster: Target) -> None:
        self._cluster = cluster
        self._lock = RLock()
        self._seen: tuple[object, ...] = ()
        self._client: Client | None = None
        self.generation = 0
        """Counts the clients made: what was learnt over an older one no longer holds."""

    def client(self) -> Client:
        """The client of the pinned context."""
        with self._lock:
            kubeconfig = self._cluster.kubeconfig()
            try:
                stat = kubeconfig.path.stat()
                seen: tuple[object, ...] = (kubeconfig, stat.st_mtime_ns, stat.st_ino)
            except OSError:
                seen = (kubeconfig,)
            if self._client is None or seen != self._seen:
                from runbook.clients.kube.client import Client

                self._client = Client(kubeconfig, foreign=self._cluster.provider == FOREIGN)
                self._seen = seen
                self.generation += 1
            return self._client

    def send(self, method: str, path: str, **options: Any) -> Answer:
        """A response of any status. Raises `Unmeasurable` where the API server does not answer."""
        client = self.client()
        response = client.ask(method, path, **options)
        with client.reachable():
            text = response.data.decode(errors="replace")
            return Answer(response.status, text, _warnings(response.headers.getlist("Warning")))

    def request(self, method: str, path: str, **options: Any) -> Answer:
        """A response of success. Raises `Refused` besides."""
        answer = self.send(method, path, **options)
        _demand_success(method, path, answer.status_code, answer.text)
        return answer

    def json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """A parsed response of success."""
        answer: dict[str, Any] = json.loads(self.request(method, path, **options).text)
        return answer

    def lines(self, path: str, params: Mapping[str, str], silence: float) -> Generator[str, None, None]:
        """The lines of a response as they come; ends where the server ends it or is silent for so many seconds."""
        client = self.client()
        response = client.ask("GET", path, params=params, timeout=silence)
        with client.reachable():
            if response.status != HTTPStatus.OK:
                _demand_success("GET", path, response.status, response.data.decode(errors="replace"))
            rest = b""
            try:
                for chunk in response.stream():
                    *whole, rest = (rest + chunk).split(b"\n")
                    yield from (line.decode(errors="replace") for line in whole)
            except ReadTimeoutError:
                return  # nothing was written meanwhile
            finally:
                response.close()
            if rest:
                yield rest.decode(errors="replace")

    def changes(
        self, path: str, params: Mapping[str, str], version: str, seconds: float
    ) -> Generator[dict[str, Any], None, None]:
        """The events of a watch from a resource version on, as `type` and `object`, for at most `seconds`.

        Raises `Expired` where that version is too old.
        """
        client = self.client()
        lasting = max(1, int(seconds))
        asked = {**params, "watch": "true", "resourceVersion": version, "timeoutSeconds": str(lasting)}

        def opened() -> urllib3.BaseHTTPResponse:
            response = client.ask("GET", path, params=asked, timeout=seconds)
            if response.status == HTTPStatus.GONE:
                raise Expired
            if response.status != HTTPStatus.OK:
                _demand_success("GET", path, response.status, response.data.decode(errors="replace"))
            return response

        return client.changes(opened, lasting)


def _warnings(lines: Sequence[str]) -> tuple[str, ...]:
    """The texts of `Warning` headers, which read: 299 - "text"."""
    found = (re.fullmatch(r'\d{3} \S+ "(.*)"', line.strip(), re.DOTALL) for line in lines)
    return tuple(match[1].replace('\\"', '"') for match in found if match)


def _demand_success(method: str, path: str, status: int, text: str) -> None:
    """The API server's own words; a server error is no verdict on what was asked."""
    if status < HTTPStatus.BAD_REQUEST:
        return
    try:
        said = str(json.loads(text).get("message") or "")
    except (ValueError, AttributeError):
        said = text.strip()[:300]
    observed = f"{method} {path} was answered {status}: {redact(said or 'nothing')}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unmeasurable(observed, wanted="an API server that answers", hint="inv cluster.status")
    raise Refused(observed, code=status)
