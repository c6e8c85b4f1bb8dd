"""HTTP through the ingress, as a person's browser would ask, without need of a hosts entry; HTTPS in production."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from runbook.clients.target import HTTP_PORT, HTTPS_PORT, Target
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings

TIMEOUT = 10.0

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Where plain HTTP is all that is asked: reading the machine's certificate bundle takes longer than the answer."""


class Http:
    """Asks the ingress by its address and names the host in the request. Redirects are shown, not followed."""

    def __init__(self, settings: Settings, cluster: Target) -> None:
        self._settings = settings
        self._cluster = cluster

    def address(self) -> str:
        """Where the ingress controller is reached."""
        return self._cluster.ingress_address(self._port(plain=False))

    def get(
        self,
        path: str = "/",
        *,
        host: str = "",
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        plain: bool = False,
    ) -> httpx.Response:
        """The answer to a GET, whatever its status. Raises `Unmeasurable` where nothing answers."""
        return self.ask("GET", path, host=host, headers=headers, timeout=timeout, plain=plain)

    def ask(
        self,
        method: str,
        path: str,
        *,
        host: str = "",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout: float = TIMEOUT,
        plain: bool = False,
    ) -> httpx.Response:
        """The answer to a request, whatever its status. `plain`: without TLS, also in production.

        Raises `Unmeasurable` where nothing answers, or answers with a certificate that does not hold.
        """
        named = host or self._settings.host
        port = self._port(plain=plain)
        address = self._cluster.ingress_address(port)
        try:
            with self.client(timeout=timeout, plain=plain) as client:
                return client.request(method, path, headers={**(headers or {}), "Host": named}, json=json)
        except httpx.TransportError as problem:
            reason = str(problem) or type(problem).__name__
            raise Unmeasurable(
                f"nothing answers {'HTTP' if port == HTTP_PORT else 'HTTPS'} on {address} port {port} for"
                f" {named}{path}: {reason}",
                wanted="an ingress controller that answers",
                hint="inv verify.step T044",
            ) from None

    def client(
        self, *, timeout: float = TIMEOUT, headers: Mapping[str, str] | None = None, plain: bool = False
    ) -> httpx.Client:
        """A connection that is kept, for the caller to close. With TLS the certificate must be that of our host."""
        port = self._port(plain=plain)
        address, reached = self._cluster.ingress_address(port), self._cluster.ingress_port(port)
        target = f"[{address}]" if ":" in address else address
        if reached != port:
            target = f"{target}:{reached}"
        return httpx.Client(
            base_url=f"{'http' if port == HTTP_PORT else 'https'}://{target}",
            headers={"Host": self._settings.host, **(headers or {})},
            timeout=timeout,
            trust_env=False,
            verify=NO_AUTHORITIES if port == HTTP_PORT else self._authorities,
            event_hooks={"request": [self._name]},
        )

    def _name(self, request: httpx.Request) -> None:
        """The name that the certificate is asked for, and judged by: the address is in none."""
        request.extensions["sni_hostname"] = self._settings.host

    def _port(self, *, plain: bool) -> int:
        return HTTPS_PORT if self._settings.production and not plain else HTTP_PORT

    @cached_property
    def _authorities(self) -> ssl.SSLContext:
        """Those of this machine, or the one of the settings and no other."""
        file = self._settings.tls_authority
        return ssl.create_default_context(cafile=str(Path(file).expanduser()) if file else None)
