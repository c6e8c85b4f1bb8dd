"""What the clients ask of the cluster that they talk to; `runbook.cluster.Cluster` is one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Protocol

_ASKED = re.compile(
    r"""(?x) (?<![\w./=-]) (?: (?P<kubectl> kubectl) | (?P<helm> helm) ) [ ]
    (?= (?: --namespace | -n | annotate | apply | auth | create | delete | describe | exec | explain | get | label
        | list | logs | patch | rollback | rollout | scale | status | history | top | uninstall | upgrade
        | wait ) \b )"""
)
"""Where a command begins that asks a cluster, and does not say which."""


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """Pins a cluster: file, context and, once seen, the UID of its kube-system namespace."""

    path: Path
    context: str

    @property
    def kubectl(self) -> str:
        """How a command that can be pasted begins: it asks this cluster, whatever the shell's own context is."""
        return f"kubectl --kubeconfig {quote(str(self.path))} --context {quote(self.context)}"

    @property
    def helm(self) -> str:
        return f"helm --kubeconfig {quote(str(self.path))} --kube-context {quote(self.context)}"

    def pasteable(self, hint: str) -> str:
        """A hint whose commands ask this cluster, so that pasting it changes no other."""
        return _ASKED.sub(lambda found: f"{self.kubectl if found['kubectl'] else self.helm} ", hint)


HTTP_PORT = 80
HTTPS_PORT = 443
"""Ports of the ingress controller, as people know them."""


class Target(Protocol):
    """Where requests go. Each answer is asked for again when it is needed: a cluster may be recreated meanwhile."""

    provider: str
    """embedded, minikube, kind or existing."""

    def kubeconfig(self) -> Kubeconfig: ...

    def ingress_address(self, port: int = HTTP_PORT) -> str:
        """The IP address on which the ingress controller is reached from this machine."""

    def ingress_port(self, port: int = HTTP_PORT) -> int:
        """The port of that address which leads to this port of the controller."""

    def docker_environment(self) -> Mapping[str, str]:
        """Environment (DOCKER_HOST, ...) of the build engine whose images this cluster runs."""
