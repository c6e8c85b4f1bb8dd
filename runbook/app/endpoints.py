"""Where the pods find a service that is not of this chart, in the words of its network policies."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from runbook.engine.errors import UsageError

PORTS = {"http": 80, "https": 443, "postgres": 5432, "postgresql": 5432}
"""Ports of URLs that name none."""


def endpoint(url: str, scheme: str = "https") -> dict[str, Any]:
    """Values of one endpoint for `global.networkPolicy`: a namespace of the cluster, one address, or anywhere outside.

    A name of the cluster is one of its Services, and its port is taken for the pods' own. Without a URL the endpoint is
    outside, at the scheme's port. Raises `UsageError` for a port that is none; its words never show the URL.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port or PORTS.get(parts.scheme.partition("+")[0], PORTS[scheme])
    except ValueError:
        raise UsageError(
            f"the address at {host} names a port that is none", wanted="1 to 65535", hint="inv plan"
        ) from None
    return {"namespace": _namespace(host), "podLabels": None, "cidr": _cidr(host), "port": port}


def _namespace(host: str) -> str:
    """The namespace of name.namespace.svc or name.namespace.svc.cluster.local."""
    labels = host.split(".")
    return labels[1] if len(labels) > 2 and labels[2] == "svc" else ""


def _cidr(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    return f"{address}/{address.max_prefixlen}"
