"""One context of a kubeconfig as what a connection needs: server, TLS, credential.

Read here, and not by the `kubernetes` package, whose import alone takes more than a second.
"""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runbook.cluster import Kubeconfig
from runbook.errors import Unmeasurable
from runbook.world.commands import Commands
from runbook.world.redaction import conceal


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one API server. `token` is a secret; client certificates are inside `tls`."""

    server: str
    tls: ssl.SSLContext
    token: str = ""
    proxy: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def connection(kubeconfig: Kubeconfig, commands: Commands) -> Connection:
    """Read the pinned context. Raises `Unmeasurable` where the file or the context is not complete."""
    document = _read(kubeconfig.path)
    base = kubeconfig.path.parent
    context = _entry(document, "contexts", kubeconfig.context, "context", kubeconfig)
    cluster = _entry(document, "clusters", str(context.get("cluster", "")), "cluster", kubeconfig)
    user = _entry(document, "users", str(context.get("user", "")), "user", kubeconfig)
    credential = _credential(user, base, commands)
    server = str(cluster.get("server", "")).rstrip("/")
    if not server:
        raise _unusable(kubeconfig, "names no server")
    try:
        tls = _tls(cluster, {**user, **credential}, base)
    except (OSError, ValueError) as problem:
        raise _unusable(kubeconfig, f"has unusable certificates ({problem})") from None
    token = str(credential.get("token", ""))
    conceal(token)
    return Connection(server=server, tls=tls, token=token, proxy=str(cluster.get("proxy-url", "")))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise Unmeasurable(
            f"there is no kubeconfig at {path}", wanted="a running cluster", hint="inv cluster.up"
        ) from None
    except (OSError, yaml.YAMLError) as problem:
        raise Unmeasurable(
            f"the kubeconfig {path} cannot be read: {problem}", hint="inv cluster.up"
        ) from None
    return document if isinstance(document, dict) else {}


def _entry(
    document: Mapping[str, Any], section: str, name: str, key: str, kubeconfig: Kubeconfig
) -> Mapping[str, Any]:
    for item in document.get(section) or []:
        if item.get("name") == name:
            value = item.get(key)
            return value if isinstance(value, dict) else {}
    raise _unusable(kubeconfig, f"has no {key} `{name}`")


def _unusable(kubeconfig: Kubeconfig, why: str) -> Unmeasurable:
    return Unmeasurable(
        f"the kubeconfig {kubeconfig.path} {why}",
        wanted=f"a complete context `{kubeconfig.context}`",
        hint=f"kubectl --kubeconfig {kubeconfig.path} config view",
    )


def _credential(user: Mapping[str, Any], base: Path, commands: Commands) -> dict[str, str]:
    """A token, or a certificate pair of a credential plug-in, in the keys of a kubeconfig user."""
    if user.get("token"):
        return {"token": str(user["token"])}
    if user.get("tokenFile"):
        return {"token": (base / str(user["tokenFile"])).read_text().strip()}
    plugin = user.get("exec")
    if not plugin:
        return {}
    api_version = str(plugin.get("apiVersion", "client.authentication.k8s.io/v1"))
    asked = {"apiVersion": api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {str(item["name"]): str(item["value"]) for item in plugin.get("env") or []}
    answer = commands.run(
        [str(plugin["command"]), *(str(part) for part in plugin.get("args") or [])],
        timeout=30,
        env={**environment, "KUBERNETES_EXEC_INFO": json.dumps(asked)},
    )
    status = json.loads(answer.stdout).get("status") or {}
    return {
        "token": str(status.get("token", "")),
        "client-certificate-data": _encoded(status.get("clientCertificateData")),
        "client-key-data": _encoded(status.get("clientKeyData")),
    }


def _encoded(text: str | None) -> str:
    return base64.b64encode(text.encode()).decode() if text else ""


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any], base: Path) -> ssl.SSLContext:
    authority = _material(cluster, "certificate-authority", base)
    if authority:
        context = ssl.create_default_context(cadata=authority.decode())
    elif str(cluster.get("server", "")).startswith("https:"):
        context = ssl.create_default_context()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate = _material(user, "client-certificate", base)
    key = _material(user, "client-key", base)
    if certificate and key:
        # The ssl module reads client certificates from files only: a file of mode 0600 that is gone at once.
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(certificate + b"\n" + key)
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


def _material(entry: Mapping[str, Any], name: str, base: Path) -> bytes:
    """Certificate or key: inline in base64, or in a file whose path is relative to the kubeconfig."""
    if entry.get(f"{name}-data"):
        return base64.b64decode(str(entry[f"{name}-data"]))
    if entry.get(name):
        return (base / str(entry[name])).read_bytes()
    return b""
