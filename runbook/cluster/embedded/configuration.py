"""The node's configuration files and certificates, rendered into its state folder."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from runbook.cluster.embedded.addresses import Addresses
from runbook.cluster.embedded.files import write_private
from runbook.cluster.embedded.services import INSIDE

if TYPE_CHECKING:
    from runbook.cluster.embedded.certificates import Authority

TEMPLATES = Path(__file__).with_name("templates")
API_PORT = 6443
QUEUE = 100
"""The netfilter queue on which the network policy engine judges connections."""

CLIENTS = {
    "kube-controller-manager": "system:kube-controller-manager",
    "kube-scheduler": "system:kube-scheduler",
    "kube-proxy": "system:kube-proxy",
    "storage-provisioner": "todo-runbook-storage-provisioner",
}
"""Parts that call the API by a kubeconfig of their own, and the user name that gives each just the rights it needs."""


def render(template: str, **values: Any) -> str:
    """A file of templates/ with its values; an unknown name is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701  nothing here is HTML
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(template).render(**values)


@dataclass(frozen=True)
class Configuration:
    """All files that the node's parts read. `folder` is the sandbox's; inside it is seen as /run/sandbox."""

    name: str
    folder: Path
    addresses: Addresses
    pause: str
    """Reference of the pause image."""
    outside: bool = False
    """Whether pods have a way out of this machine (a real model or database); by default they have none."""

    @property
    def pki(self) -> Path:
        return self.folder / "pki"

    @property
    def server(self) -> str:
        return f"https://{self.addresses.node}:{API_PORT}"

    @property
    def name_servers(self) -> list[str]:
        """Who answers for names outside of the cluster."""
        return [self.addresses.outside_names] if self.outside else []

    @property
    def kubeconfig(self) -> Path:
        """For people and clients on this machine: full rights, mode 0600."""
        return self.folder.parent / "kubeconfig"

    @cached_property
    def digest(self) -> str:
        """Changes when any file of the configuration does, but for the administrator's kubeconfig."""
        total = hashlib.sha256()
        for folder in ("etc", "pki"):
            for file in sorted((self.folder / folder).rglob("*")):
                if file.is_file() and "administrator" not in file.name:
                    total.update(f"{file.relative_to(self.folder)}\0".encode() + file.read_bytes() + b"\0")
        return total.hexdigest()[:16]

    def write(self) -> None:
        """Render everything; what is good already stays untouched."""
        from runbook.cluster.embedded.certificates import Authority, Identity

        authority = Authority(self.pki, f"todo-runbook-{self.name}")
        self._certificates(authority)
        values = {
            "name": self.name,
            "addresses": self.addresses,
            "pause": self.pause,
            "pki": INSIDE / "pki",
            "inside": INSIDE,
        }
        etc = self.folder / "etc"
        for source, target in (
            ("containerd.toml", "containerd.toml"),
            ("pods.conflist", "cni/10-pods.conflist"),
            ("kubelet.yaml", "kubelet.yaml"),
            ("kube-proxy.yaml", "kube-proxy.yaml"),
            ("audit.yaml", "audit.yaml"),
        ):
            write_private(etc / target, render(source, **values))
        write_private(etc / "resolv.conf", "".join(f"nameserver {server}\n" for server in self.name_servers))
        clients = {part: Identity(user) for part, user in CLIENTS.items()}
        clients["kubelet"] = Identity(f"system:node:{self.name}", "system:nodes")
        for part, identity in clients.items():
            certificate, key = authority.issue(part, identity)
            write_private(etc / f"{part}.kubeconfig", self._kubeconfig(part, authority, certificate, key))
        certificate, key = authority.issue("administrator", Identity("administrator", "system:masters"))
        write_private(self.kubeconfig, self._kubeconfig("administrator", authority, certificate, key))

    def _certificates(self, authority: Authority) -> None:
        from runbook.cluster.embedded.certificates import Authority, Identity, signing_key

        service = ["kubernetes", "default", "svc", "cluster", "local"]
        names = [".".join(service[:count]) for count in (1, 2, 3, 5)]
        here = [self.addresses.node, self.addresses.api_service, "127.0.0.1", "localhost"]
        authority.issue("kube-apiserver", Identity("kube-apiserver", names=[*names, *here]))
        authority.issue("kubelet-client", Identity("kube-apiserver-kubelet-client"))
        authority.issue("kubelet-server", Identity(self.name, names=[self.name, self.addresses.node]))
        etcd = Authority(self.pki / "etcd", f"todo-runbook-{self.name}-etcd")
        etcd.issue("server", Identity("etcd", names=["127.0.0.1", "localhost"]))
        etcd.issue("client", Identity("kube-apiserver"))
        signing_key(self.pki)

    def _kubeconfig(self, user: str, authority: Authority, certificate: Path, key: Path) -> str:
        """A kubeconfig that holds all it needs, so that it can be copied."""
        document: Mapping[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": self.name,
                    "cluster": {
                        "server": self.server,
                        "certificate-authority-data": _encoded(authority.certificate),
                    },
                }
            ],
            "users": [
                {
                    "name": f"{self.name}-{user}",
                    "user": {
                        "client-certificate-data": _encoded(certificate),
                        "client-key-data": _encoded(key),
                    },
                }
            ],
            "contexts": [
                {"name": self.name, "context": {"cluster": self.name, "user": f"{self.name}-{user}"}}
            ],
            "current-context": self.name,
        }
        return yaml.safe_dump(document, sort_keys=False)


def _encoded(file: Path) -> str:
    return b64encode(file.read_bytes()).decode()
