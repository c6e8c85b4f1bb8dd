"""Kubeconfig: certificates, tokens, and what is incomplete."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.app.secrets.authority import certify
from runbook.clients.kube.client import Client, configured
from runbook.clients.target import Kubeconfig
from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import redact


def write(path: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> Kubeconfig:
    document = {
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster or {"server": "https://10.0.0.1:6443/"}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return Kubeconfig(path, "here")


def read(kubeconfig: Kubeconfig) -> Any:
    return configured(kubeconfig)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_certificates_inline_and_in_files_beside_it(tmp_path: Path) -> None:
    made = certify(["10.0.0.1"])
    (tmp_path / "ca.crt").write_text(made.authority)
    cluster = {"server": "https://10.0.0.1:6443/", "certificate-authority": "ca.crt"}
    user = {"client-certificate-data": encoded(made.certificate), "client-key-data": encoded(made.key)}
    found = read(write(tmp_path / "kubeconfig", user, cluster))
    assert found.host == "https://10.0.0.1:6443"
    assert found.verify_ssl
    assert found.ssl_ca_cert == str(tmp_path / "ca.crt")
    assert Path(found.cert_file).read_text() == made.certificate
    assert Path(found.key_file).read_text() == made.key
    assert Path(found.key_file).stat().st_mode & 0o077 == 0
    assert found.api_key == {}


def test_a_token_is_sent_and_concealed(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token-in-a-file\n")
    client = Client(write(tmp_path / "kubeconfig", {"tokenFile": "token"}))
    _, url, headers, *_ = client.serialized("GET", "/version", {})
    assert url == "https://10.0.0.1:6443/version"
    assert headers["authorization"] == "Bearer token-in-a-file"
    assert redact("it was token-in-a-file") == "it was ***"


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ({"server": ""}, {}, "names no server"),
        (
            {"server": "https://x", "certificate-authority": "absent.crt"},
            {},
            "File does not exist",
        ),
    ],
)
def test_what_is_incomplete_cannot_be_measured(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], words: str
) -> None:
    with pytest.raises(Unmeasurable, match=words):
        read(write(tmp_path / "kubeconfig", user, {"server": "", **cluster}))


def test_no_yaml_cannot_be_measured(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("{:")
    with pytest.raises(Unmeasurable, match="cannot be used"):
        read(Kubeconfig(tmp_path / "kubeconfig", "here"))
