"""One way to a cluster for all clients: ours directly, somebody else's as kubectl goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.clients.kube.client import configured
from runbook.clients.process.proxies import direct_to, proxy_to
from runbook.clients.target import Kubeconfig
from runbook.engine.errors import Unmeasurable
from tests.fakes.worlds import FakeCluster


class Near(FakeCluster):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def kubeconfig(self) -> Kubeconfig:
        return Kubeconfig(self.path, "todo")


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(
        """
apiVersion: v1
kind: Config
clusters: [{name: todo, cluster: {server: "https://10.117.255.2:6443"}}]
users: [{name: me, user: {token: the-token-of-the-user}}]
contexts: [{name: todo, context: {cluster: todo, user: me}}]
"""
    )
    return path


@pytest.fixture(autouse=True)
def _proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:13128")
    monkeypatch.setenv("NO_PROXY", "localhost,10.200.0.0/16,.corp.example")


def test_a_cluster_of_ours_is_asked_directly_by_helm_and_by_us(kubeconfig: Path) -> None:
    direct_to(Near(kubeconfig))
    assert "10.117.255.2" in os.environ["NO_PROXY"].split(",")
    own = configured(Kubeconfig(kubeconfig, "todo"))
    assert own.no_proxy == "*"


def test_a_foreign_cluster_is_asked_as_kubectl_does(kubeconfig: Path) -> None:
    foreign = Near(kubeconfig)
    foreign.provider = "existing"
    direct_to(foreign)
    assert "10.117.255.2" not in os.environ["NO_PROXY"]
    assert configured(Kubeconfig(kubeconfig, "todo"), foreign=True).proxy == "http://127.0.0.1:13128"


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://10.117.255.2:6443", "http://127.0.0.1:13128"),
        ("https://10.200.3.4:6443", ""),
        ("https://api.corp.example", ""),
        ("https://127.0.0.1:6443", ""),
        ("https://localhost:6443", ""),
        ("https://[::1]:6443", ""),
        ("http://10.117.255.2", ""),
    ],
)
def test_the_way_is_that_of_go_programs(url: str, proxy: str) -> None:
    assert proxy_to(url) == proxy


def test_a_proxy_that_we_cannot_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(Unmeasurable, match="HTTPS_PROXY names a socks5 proxy"):
        proxy_to("https://10.117.255.2:6443")
    assert proxy_to("https://10.200.3.4") == ""
