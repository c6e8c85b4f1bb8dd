"""How a missing program comes to this machine: the very command, by its package manager."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable
from pathlib import Path

_BREW = {
    "buildx": "brew install docker-buildx",
    "docker": "brew install --cask docker",
    "chromium": "brew install --cask chromium",
    "dapr": "brew install dapr/tap/dapr-cli",
}
_APT = {
    "docker": "docker.io docker-buildx",
    "buildx": "docker-buildx",
    "chromium": "chromium",
    "ip": "iproute2",
    "nft": "nftables",
    "git": "git",
}
"""Debian's and Ubuntu's packages; they have no Helm, no minikube and no kind."""

_ELSEWHERE = {
    "docker": "install Docker Engine 20.10 or newer with its buildx plugin, or Docker Desktop 4.53 or newer",
    "minikube": "install minikube (minikube.sigs.k8s.io/docs/start)",
    "kind": "go install sigs.k8s.io/kind@latest, and put $(go env GOPATH)/bin on PATH",
    "helm": "install Helm 3.13 or newer (helm.sh/docs/intro/install)",
    "kubectl": "install kubectl (kubernetes.io/docs/tasks/tools)",
    "buildx": "install Docker's buildx plugin",
    "kube-score": "go install github.com/zegl/kube-score/cmd/kube-score@latest",
    "dapr": "optional: Helm installs Dapr",
}

_MADE_HERE = {"helm", "kubectl", "buildx"}
"""What `inv setup` builds under every provider, where this machine has a Go."""


def how_to_install(
    name: str,
    *,
    built: bool = True,
    system: str | None = None,
    find: Callable[[str], str | None] = shutil.which,
) -> str:
    """One line to do: a command where there is one. `built`: whether `inv setup` may still be the answer.

    On WSL2 this is Linux: Docker Desktop's integration brings `docker`, and so does Debian's package.
    """
    short = Path(name).name
    if built and short in _MADE_HERE:
        return "inv setup"
    if (system or platform.system()) == "Darwin":
        return _BREW.get(short, f"brew install {short}")
    if (package := _APT.get(short)) and find("apt-get"):
        return f"apt-get install {package}"
    return _ELSEWHERE.get(short, f"install {short}")
