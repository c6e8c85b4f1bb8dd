"""A kubeconfig as the real kubectl reads it: the same files through `kubectl config view` and through ours."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.clients.kube import kubeconfig
from runbook.engine.errors import CommandMissing, UsageError
from runbook.engine.settings import Settings

Files = dict[str, Any]


def kubectl() -> str:
    from runbook.cluster.embedded.toolchain import Toolchain

    try:
        return shutil.which("kubectl") or str(Toolchain(Settings()).binary("kubectl"))
    except CommandMissing:
        return ""


pytestmark = pytest.mark.skipif(not kubectl(), reason="kubectl is not installed")

ABSENT_LISTS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": None,
    "contexts": [],
    "users": None,
}
EMPTY = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "",
    "clusters": [],
    "contexts": [],
    "users": [],
}
TEAM = {
    "clusters": [
        {"name": "team", "cluster": {"server": "https://127.0.0.1:16443", "insecure-skip-tls-verify": True}}
    ],
    "contexts": [{"name": "dev@team/eu:1", "context": {"cluster": "team", "user": "me"}}],
    "users": [{"name": "me", "user": {"token": "not-a-real-token"}}],
}
NAMED = "dev@team/eu:1"
"""Case 06: a context with signs in its name, in the second file of the list."""


def entry(kind: str, name: str, **content: Any) -> dict[str, Any]:
    return {f"{kind}s": [{"name": name, kind: content}]}


def context(**content: Any) -> dict[str, Any]:
    return entry("context", "c", **content)


CASES: dict[str, tuple[str, Files, str]] = {
    "one file": ("config", {"config": TEAM}, NAMED),
    "a list whose first file is empty": ("config:team.yaml", {"config": EMPTY, "team.yaml": TEAM}, NAMED),
    "missing lists": ("config:team.yaml", {"config": ABSENT_LISTS, "team.yaml": TEAM}, NAMED),
    "a file of no length": ("config:team.yaml", {"config": None, "team.yaml": TEAM}, NAMED),
    "absent files and empty names": (":none.yaml::team.yaml:", {"team.yaml": TEAM}, NAMED),
    "the same file twice": ("team.yaml:team.yaml", {"team.yaml": TEAM}, NAMED),
    "the first file wins": (
        "a:b",
        {
            "a": TEAM | entry("user", "me", token="of-the-first"),
            "b": TEAM | entry("user", "me", token="second"),
        },
        NAMED,
    ),
    "parts in three files": (
        "a:b:d/e",
        {
            "a": context(cluster="x", user="u", namespace="shop"),
            "b": entry(
                "cluster", "x", server="https://127.0.0.1:1", **{"tls-server-name": "api.example.net"}
            ),
            "d/e": entry("user", "u", token="t"),
        },
        "c",
    ),
    "relative paths count from their own file": (
        "a:d/e",
        {
            "a": context(cluster="x", user="u") | entry("cluster", "x", server="https://127.0.0.1:1"),
            "d/e": entry("user", "u", **{"client-certificate": "me.crt", "client-key": "../keys/me.key"}),
            "d/me.crt": "a certificate",
            "keys/me.key": "a key",
        },
        "c",
    ),
    "a proxy by http": (
        "a",
        {
            "a": context(cluster="x", user="u")
            | entry(
                "cluster", "x", server="https://10.20.30.40:6443", **{"proxy-url": "http://localhost:3128"}
            )
            | entry("user", "u", token="t")
        },
        "c",
    ),
    "nobody": ("a", {"a": context(cluster="x") | entry("cluster", "x", server="http://127.0.0.1:1")}, "c"),
    "an empty user": (
        "a",
        {
            "a": context(cluster="x", user="u")
            | entry("cluster", "x", server="http://127.0.0.1:1")
            | entry("user", "u")
        },
        "c",
    ),
}


def write(folder: Path, variable: str, files: Files) -> str:
    """Write the files; KUBECONFIG that names them where they are."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content) if content else ""
        (folder / name).write_text(text)
    return os.pathsep.join(str(folder / name) if name else "" for name in variable.split(":"))


def by_kubectl(variable: str, name: str) -> subprocess.CompletedProcess[str]:
    argv = [
        kubectl(),
        "config",
        "view",
        "--raw",
        "--minify",
        "--flatten",
        f"--context={name}",
        "--output=json",
    ]
    return subprocess.run(
        argv,
        env=os.environ | {"KUBECONFIG": variable},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def parts(content: dict[str, Any], name: str, here: Path) -> dict[str, Any]:
    """The one context with its cluster and its user, however the file writes what is empty."""
    lists = {
        kind: {each["name"]: each.get(kind.removesuffix("s")) or {} for each in content.get(kind) or []}
        for kind in ("contexts", "clusters", "users")
    }
    place = {key: value for key, value in lists["contexts"][name].items() if value}
    user = dict(lists["users"].get(place.get("user"), {}))
    for key in ("client-certificate", "client-key"):
        if key in user:  # as kubectl flattens it
            user[f"{key}-data"] = base64.b64encode((here / user.pop(key)).read_bytes()).decode()
    return {"context": place, "cluster": lists["clusters"][place["cluster"]], "user": user}


@pytest.mark.parametrize("case", CASES)
def test_both_read_the_same(tmp_path: Path, case: str) -> None:
    written, files, name = CASES[case]
    variable = write(tmp_path, written, files)
    said = by_kubectl(variable, name)
    assert said.returncode == 0, said.stderr
    ours = kubeconfig.chosen(name, variable, tmp_path / "state" / "merged.json")
    theirs = parts(json.loads(said.stdout), name, tmp_path)
    assert parts(yaml.safe_load(ours.path.read_text()), name, ours.path.parent) == theirs


def test_a_plugin_is_looked_for_beside_its_own_file(tmp_path: Path) -> None:
    """kubectl shows the command as it is written: which program it runs is seen by running it."""
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./bin/token",
        "interactiveMode": "Never",
    }
    files = {
        "a": context(cluster="x", user="u") | entry("cluster", "x", server="https://127.0.0.1:1"),
        "d/e": entry("user", "u", exec=plugin),
        "d/bin/token": f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n",
    }
    variable = write(tmp_path, "a:d/e", files)
    (tmp_path / "d" / "bin" / "token").chmod(0o755)
    argv = [kubectl(), "--context=c", "get", "--raw=/version"]
    environment = os.environ | {"KUBECONFIG": variable}
    subprocess.run(argv, env=environment, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert (tmp_path / "ran").exists()
    ours = kubeconfig.chosen("c", variable, tmp_path / "state" / "merged.json")
    (user,) = yaml.safe_load(ours.path.read_text())["users"]
    assert Path(user["user"]["exec"]["command"]) == tmp_path / "d" / "bin" / "token"


@pytest.mark.parametrize(
    ("written", "files", "name"),
    [
        ("a", {"a": TEAM}, "other"),
        ("a", {"a": context(cluster="gone", user="u") | entry("user", "u", token="t")}, "c"),
        ("none", {}, "c"),
    ],
)
def test_what_kubectl_cannot_use_is_refused(tmp_path: Path, written: str, files: Files, name: str) -> None:
    variable = write(tmp_path, written, files)
    theirs = by_kubectl(variable, name)
    assert theirs.returncode != 0 or not json.loads(theirs.stdout)["clusters"]
    with pytest.raises(UsageError):
        kubeconfig.chosen(name, variable, tmp_path / "merged.json")


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ({"proxy-url": "socks5://localhost:1080"}, {"token": "t"}, "proxy-url of the kind socks5"),  # case 26
        ({}, {"token": "t", "as": "deployer", "as-groups": ["limited"]}, "acts as somebody else"),  # case 31
    ],
)
def test_what_kubectl_follows_and_our_client_cannot_is_refused_in_words(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], words: str
) -> None:
    server = entry("cluster", "x", server="https://10.20.30.40:6443", **cluster)
    files = {"a": context(cluster="x", user="u") | server | entry("user", "u", **user)}
    variable = write(tmp_path, "a", files)
    theirs = parts(json.loads(by_kubectl(variable, "c").stdout), "c", tmp_path)
    assert theirs["user"] == user and cluster.items() <= theirs["cluster"].items()
    with pytest.raises(UsageError, match=words):
        kubeconfig.chosen("c", variable, tmp_path / "merged.json")
