"""Configuration files: private, complete, stable; processes restart when, and only when, one of them changes."""

from __future__ import annotations

import json
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from runbook.cluster.embedded import components
from runbook.cluster.embedded.addresses import Addresses
from runbook.cluster.embedded.configuration import Configuration


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    found = Configuration("test", tmp_path / "state" / "node", Addresses(100), "todo.runbook/pause:1")
    found.write()
    return found


def binary(name: str) -> Path:
    return Path("/bin") / name


def test_all_files_are_private_and_parse(configuration: Configuration) -> None:
    etc = configuration.folder / "etc"
    for file in [*etc.rglob("*"), configuration.kubeconfig]:
        if file.is_file():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
            if file.suffix in (".yaml", ".kubeconfig"):
                assert yaml.safe_load(file.read_text())
    assert json.loads((etc / "cni/10-pods.conflist").read_text())["plugins"][0]["type"] == "ptp"


def test_the_kubeconfig_names_one_context_and_the_node(configuration: Configuration) -> None:
    document = yaml.safe_load(configuration.kubeconfig.read_text())
    assert document["current-context"] == "test"
    assert document["clusters"][0]["cluster"]["server"] == "https://10.100.255.2:6443"


def test_writing_again_changes_nothing(configuration: Configuration) -> None:
    before = {file: file.read_bytes() for file in configuration.folder.rglob("*") if file.is_file()}
    again = replace(configuration)
    again.write()
    assert {file: file.read_bytes() for file in configuration.folder.rglob("*") if file.is_file()} == before
    assert components.definitions(again, binary) == components.definitions(configuration, binary)


def test_another_file_restarts_the_processes(configuration: Configuration) -> None:
    before = components.definitions(configuration, binary)
    other = replace(configuration, pause="todo.runbook/pause:2")
    other.write()
    after = components.definitions(other, binary)
    assert all(after[name].script() != before[name].script() for name in before)


def test_nobody_is_anonymous_and_rights_are_asked(configuration: Configuration) -> None:
    api_server = components.definitions(configuration, binary)["kube-apiserver"].argv
    assert {"--anonymous-auth=false", "--authorization-mode=Node,RBAC", "--bind-address=10.100.255.2"} <= set(
        api_server
    )
    assert any(word.startswith("--audit-log-path=") for word in api_server)
    kubelet = yaml.safe_load((configuration.folder / "etc/kubelet.yaml").read_text())
    assert kubelet["authentication"]["anonymous"]["enabled"] is False
    assert kubelet["authorization"]["mode"] == "Webhook"


def test_no_secret_stands_in_an_argument(configuration: Configuration) -> None:
    keys = [file.read_text() for file in configuration.pki.rglob("*.key")]
    assert keys
    for definition in components.definitions(configuration, binary).values():
        assert not any(key.splitlines()[1] in definition.script() for key in keys)


def test_the_guard_of_the_policies_closes_when_it_fails(configuration: Configuration) -> None:
    script = components.network_script(configuration.addresses)
    assert script.count("-j NFQUEUE") == 2
    assert "--queue-bypass" not in script
    assert subprocess.run(["sh", "-n", "-c", script], check=False).returncode == 0


def test_there_is_no_way_out_unless_it_is_asked_for(configuration: Configuration) -> None:
    assert "way-out" not in components.definitions(configuration, binary)
    way = components.definitions(replace(configuration, outside=True), binary)["way-out"]
    assert {"--disable-host-loopback", "--enable-sandbox", "--enable-seccomp"} <= set(way.argv)
    (((_, _, script),)) = way.before
    # A model on this machine: by the link, under the node's address.
    assert f"-o {components.LINK} -d {configuration.addresses.host} -j MASQUERADE" in script
    assert subprocess.run(["sh", "-n", "-c", script], check=False).returncode == 0
