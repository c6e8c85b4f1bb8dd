"""How a program comes to a machine: a command of its package manager, and `inv setup` only where it can help."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runbook.clients.process.remedies import how_to_install


def here(*managers: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name in managers else None


@pytest.mark.parametrize(
    ("name", "system", "managers", "told"),
    [
        ("docker", "Darwin", ("brew",), "brew install --cask docker"),
        ("/opt/x/minikube", "Darwin", ("brew",), "brew install minikube"),
        ("docker", "Linux", ("apt-get",), "apt-get install docker.io docker-buildx"),
        ("docker", "Linux", ("dnf",), "install Docker Engine 20.10 or newer"),
        ("minikube", "Linux", ("apt-get",), "minikube.sigs.k8s.io/docs/start"),
        ("kind", "Linux", ("apt-get",), "go install sigs.k8s.io/kind@latest"),
        ("ip", "Linux", ("apt-get",), "apt-get install iproute2"),
        ("helm", "Linux", (), "inv setup"),
        ("kubectl", "Darwin", (), "inv setup"),
        ("something", "Linux", ("apt-get",), "install something"),
    ],
)
def test_each_platform(name: str, system: str, managers: tuple[str, ...], told: str) -> None:
    assert told in how_to_install(name, system=system, find=here(*managers))


@pytest.mark.parametrize("name", ["helm", "kubectl", "buildx"])
@pytest.mark.parametrize("system", ["Linux", "Darwin"])
def test_where_setup_cannot_build_it_is_not_sent_there_again(name: str, system: str) -> None:
    told = how_to_install(name, built=False, system=system, find=here())
    assert told and told != "inv setup"
