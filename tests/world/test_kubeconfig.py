"""Kubeconfig: certificates, tokens, credential plug-ins, and what is incomplete."""

from __future__ import annotations

import base64
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.actions.authority import certify
from runbook.cluster import Kubeconfig
from runbook.errors import Unmeasurable
from runbook.settings import Settings
from runbook.world.commands import Commands
from runbook.world.kubeconfig import connection
from runbook.world.redaction import redact


def write(path: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> Kubeconfig:
    document = {
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster or {"server": "https://10.0.0.1:6443/"}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return Kubeconfig(path, "here")


def read(kubeconfig: Kubeconfig) -> Any:
    return connection(kubeconfig, Commands(Settings()))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_certificates_inline_and_in_files_beside_it(tmp_path: Path) -> None:
    made = certify(["10.0.0.1"])
    (tmp_path / "ca.crt").write_text(made.authority)
    cluster = {"server": "https://10.0.0.1:6443/", "certificate-authority": "ca.crt"}
    user = {"client-certificate-data": encoded(made.certificate), "client-key-data": encoded(made.key)}
    found = read(write(tmp_path / "kubeconfig", user, cluster))
    assert found.server == "https://10.0.0.1:6443"
    assert found.tls.verify_mode is ssl.CERT_REQUIRED
    assert [each["serialNumber"] for each in found.tls.get_ca_certs()]
    assert found.headers == {}


def test_a_token_is_sent_and_concealed(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token-in-a-file\n")
    found = read(write(tmp_path / "kubeconfig", {"tokenFile": "token"}))
    assert found.headers == {"Authorization": "Bearer token-in-a-file"}
    assert redact("it was token-in-a-file") == "it was ***"


def test_a_credential_plugin_is_asked(tmp_path: Path) -> None:
    answer = json.dumps({"status": {"token": "token-of-the-plugin"}})
    script = f"import os, json; json.loads(os.environ['KUBERNETES_EXEC_INFO']); print({answer!r})"
    user = {"exec": {"command": sys.executable, "args": ["-c", script], "env": [{"name": "A", "value": "b"}]}}
    found = read(write(tmp_path / "kubeconfig", user))
    assert found.token == "token-of-the-plugin"


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ({"server": ""}, {}, "names no server"),
        (
            {"server": "https://x", "certificate-authority": "absent.crt"},
            {},
            "has unusable certificates",
        ),
        (
            {"server": "https://x"},
            {"client-certificate-data": encoded("x"), "client-key-data": encoded("y")},
            "has unusable certificates",
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
    with pytest.raises(Unmeasurable, match="cannot be read"):
        read(Kubeconfig(tmp_path / "kubeconfig", "here"))
