"""What answers inside a pod, asked through the API server: ports that listen on the pod's loopback too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    import httpx

    from runbook.clients.kube.api import Api

Object = Mapping[str, Any]

SECONDS = 5.0


def ask(
    api: Api,
    pod: Object,
    port: int,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    timeout: float = SECONDS,
) -> httpx.Response:
    """The answer to a request, whatever its status; `timeout` in seconds. Raises `Unmeasurable` where none comes."""
    import httpx

    from runbook.clients.http import NO_AUTHORITIES

    name, namespace = workloads.name(pod), str(pod["metadata"]["namespace"])
    try:
        with (
            api.port_forward(name, port, namespace) as local,
            httpx.Client(timeout=timeout, trust_env=False, verify=NO_AUTHORITIES) as client,
        ):
            return client.request(method, f"http://127.0.0.1:{local}{path}", headers=headers, json=json)
    except httpx.HTTPError as problem:
        raise Unmeasurable(
            f"port {port} of pod {name} does not answer: {str(problem) or type(problem).__name__}",
            wanted=f"an answer to {path} within {timeout:g} s",
            hint=f"kubectl --namespace {namespace} logs {name} --all-containers --tail 30",
        ) from None
