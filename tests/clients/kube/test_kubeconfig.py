"""KUBECONFIG as kubectl reads it: which file wins, where paths count from, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.clients.kube.kubeconfig import chosen, locations
from runbook.engine.errors import UsageError

AT = "https://192.0.2.1:6443"


def write(file: Path, **lists: dict[str, Any]) -> Path:
    file.parent.mkdir(exist_ok=True)
    content: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    for kind, entries in lists.items():
        content[kind] = [{"name": name, kind[:-1]: entry} for name, entry in entries.items()]
    file.write_text(yaml.safe_dump(content))
    return file


def whole(file: Path, context: str = "c", *, cluster: Any = None, user: Any = None) -> Path:
    return write(
        file,
        contexts={context: {"cluster": "k", "user": "u"}},
        clusters={"k": {"server": AT, **(cluster or {})}},
        users={"u": user or {"token": "not-a-real-token"}},
    )


def refusal(context: str, variable: str, tmp_path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        chosen(context, variable, tmp_path / "merged")
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_empty_names_and_absent_files_are_passed_over(tmp_path: Path) -> None:
    empty = write(tmp_path / "config", contexts={}, clusters={}, users={})
    team = whole(tmp_path / "team.yaml", "dev@team/eu:1 two")
    variable = f":{empty}::{tmp_path / 'absent'}:{team}:"
    assert locations(variable) == [empty, tmp_path / "absent", team]
    found = chosen("dev@team/eu:1 two", variable, tmp_path / "merged")
    assert (found.path, found.context) == (team, "dev@team/eu:1 two")
    assert "'dev@team/eu:1 two'" in found.kubectl
    assert not (tmp_path / "merged").exists()


def test_without_the_variable_it_is_the_file_in_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locations("") == [tmp_path / ".kube" / "config"]


def test_the_first_file_that_has_a_name_wins_with_all_that_it_says(tmp_path: Path) -> None:
    first = write(tmp_path / "first", clusters={"k": {"server": "https://192.0.2.9:6443"}})
    second = whole(tmp_path / "second", cluster={"insecure-skip-tls-verify": True})
    found = chosen("c", f"{first}:{second}", tmp_path / "merged")
    assert found.path == tmp_path / "merged"
    merged = json.loads(found.path.read_text())
    assert merged["clusters"] == [{"name": "k", "cluster": {"server": "https://192.0.2.9:6443"}}]
    assert merged["users"][0]["user"] == {"token": "not-a-real-token"}
    assert merged["current-context"] == "c"
    assert found.path.stat().st_mode & 0o777 == 0o600


def test_paths_count_from_the_file_that_holds_them(tmp_path: Path) -> None:
    clusters = write(
        tmp_path / "a" / "config", clusters={"k": {"server": AT, "certificate-authority": "ca.crt"}}
    )
    plugin = {"command": "./bin/token", "args": ["x"]}
    users = write(
        tmp_path / "b" / "config",
        contexts={"c": {"cluster": "k", "user": "u"}},
        users={"u": {"client-key": "/abs/key", "tokenFile": "token", "exec": plugin}},
    )
    merged = json.loads(chosen("c", f"{clusters}:{users}", tmp_path / "merged").path.read_text())
    assert merged["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "a" / "ca.crt")
    user = merged["users"][0]["user"]
    assert (user["client-key"], user["tokenFile"]) == ("/abs/key", str(tmp_path / "b" / "token"))
    assert user["exec"] == {"command": str(tmp_path / "b" / "bin" / "token"), "args": ["x"]}


def test_a_plug_in_on_the_search_path_stays_one(tmp_path: Path) -> None:
    cluster = write(tmp_path / "k", clusters={"k": {"server": AT}})
    rest = write(
        tmp_path / "u",
        contexts={"c": {"cluster": "k", "user": "u"}},
        users={"u": {"exec": {"command": "aws"}}},
    )
    merged = json.loads(chosen("c", f"{cluster}:{rest}", tmp_path / "merged").path.read_text())
    assert merged["users"][0]["user"]["exec"]["command"] == "aws"


@pytest.mark.parametrize("key", ["as", "as-uid", "as-groups", "as-user-extra"])
def test_a_context_that_acts_as_somebody_else_is_refused(tmp_path: Path, key: str) -> None:
    file = whole(tmp_path / "config", user={"token": "t", key: ["x"]})
    assert f"acts as somebody else ({key})" in refusal("c", str(file), tmp_path)


@pytest.mark.parametrize("way", ["socks5://localhost:1080", "socks5h://x:1", "localhost:3128"])
def test_a_proxy_that_not_all_clients_take_is_refused_with_a_way(tmp_path: Path, way: str) -> None:
    words = refusal("c", str(whole(tmp_path / "config", cluster={"proxy-url": way})), tmp_path)
    assert "proxy-url" in words
    assert "ssh -L 16443:192.0.2.1:6443" in words


def test_an_http_proxy_is_fine(tmp_path: Path) -> None:
    file = whole(tmp_path / "config", cluster={"proxy-url": "http://proxy.example:3128"})
    assert chosen("c", str(file), tmp_path / "merged").path == file


def test_what_is_absent_is_named_with_what_is_there(tmp_path: Path) -> None:
    file = whole(tmp_path / "config")
    assert "wanted: one of: c" in refusal("other", str(file), tmp_path)
    assert "wanted: one of: none" in refusal("c", str(tmp_path / "absent"), tmp_path)
    assert "names no file" in refusal("c", ":", tmp_path)
    for missing in ("cluster", "user"):
        part = write(
            tmp_path / "part", contexts={"c": {"cluster": "k", "user": "u"}}, clusters={"k": {"server": AT}}
        )
        if missing == "cluster":
            part = write(tmp_path / "part", contexts={"c": {"cluster": "k", "user": "u"}})
        assert f"names the {missing} " in refusal("c", str(part), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "a: [",
        "contexts: 7",
        "contexts: [7]",
        "contexts: [{context: {}}]",
        "\x00",
        "contexts: [{name: a}, {name: a}]",
    ],
)
def test_a_file_that_is_no_kubeconfig_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    words = refusal("c", str(tmp_path / "config"), tmp_path)
    assert "\n" not in words
    if text != "[]":
        assert "cannot be read as a kubeconfig" in words
