"""HTTP through the ingress, as a person's browser would ask, without need of a hosts entry."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from runbook.clients.target import Target
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings

TIMEOUT = 10.0
HTTP_PORT = 80

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Plain HTTP is all that is asked here: reading the machine's certificate bundle takes longer than the answer."""


class Http:
    """Asks the ingress by its address and names the host in the request. Redirects are shown, not followed."""

    def __init__(self, settings: Settings, cluster: Target) -> None:
        self._settings = settings
        self._cluster = cluster

    def address(self) -> str:
        """Where port 80 reaches the ingress controller."""
        return self._cluster.ingress_address()

    def get(
        self,
        path: str = "/",
        *,
        host: str = "",
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> httpx.Response:
        """The answer to a GET, whatever its status. Raises `Unmeasurable` where nothing answers."""
        return self.ask("GET", path, host=host, headers=headers, timeout=timeout)

    def ask(
        self,
        method: str,
        path: str,
        *,
        host: str = "",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout: float = TIMEOUT,
    ) -> httpx.Response:
        """The answer to a request, whatever its status. Raises `Unmeasurable` where nothing answers."""
        named = host or self._settings.host
        address = self.address()
        target = f"[{address}]" if ":" in address else address
        if (port := self._cluster.ingress_port()) != HTTP_PORT:
            target = f"{target}:{port}"
        try:
            with httpx.Client(
                base_url=f"http://{target}", timeout=timeout, trust_env=False, verify=NO_AUTHORITIES
            ) as client:
                return client.request(method, path, headers={**(headers or {}), "Host": named}, json=json)
        except httpx.TransportError as problem:
            reason = str(problem) or type(problem).__name__
            raise Unmeasurable(
                f"nothing answers HTTP on {address} port 80 for {named}{path}: {reason}",
                wanted="an ingress controller that answers",
                hint="inv verify.step T044",
            ) from None
