"""The proxy of the environment: one way to a cluster for all clients of a run.

Clusters of ours are near: every program asks them directly. One that somebody else runs is asked as kubectl asks it.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runbook.clients.process.environment import direct
from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    from runbook.clients.target import Target

FOREIGN = "existing"
_SERVER = re.compile(r"""server:\s*["']?(https?://[^\s"']+)""")


def direct_to(cluster: Target) -> None:
    """Have Helm and all others ask the API server of a cluster of ours past the proxy."""
    if cluster.provider == FOREIGN:
        return
    try:
        servers = _SERVER.findall(cluster.kubeconfig().path.read_text())
    except OSError:
        return
    direct(*(urlsplit(each).hostname or "" for each in servers))


def proxy_to(url: str) -> str:
    """The proxy that programs written in Go use for a URL; empty for none.

    Raises `Unmeasurable` for a kind of proxy that our own client cannot use.
    """
    name = f"{urlsplit(url).scheme.upper()}_PROXY"
    given = next((value for each in (name, name.lower()) if (value := os.environ.get(each))), "")
    if not given or _exempt(url):
        return ""
    proxy = given if "://" in given else f"http://{given}"
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise Unmeasurable(
            f"{name} names a {urlsplit(proxy).scheme} proxy, and {urlsplit(url).hostname} would be asked through it",
            wanted="an HTTP proxy, or none for this host",
            hint=f"export NO_PROXY={urlsplit(url).hostname}",
        )
    return proxy


def _exempt(url: str) -> bool:
    """As golang.org/x/net/http/httpproxy reads NO_PROXY: names, suffixes, addresses, networks; loopback always."""
    from requests.utils import should_bypass_proxies

    host = urlsplit(url).hostname or ""
    try:
        if ip_address(host).is_loopback:
            return True
    except ValueError:
        if host == "localhost":
            return True
    return bool(should_bypass_proxies(url, os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""))
