"""`inv settings` and `inv version`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.cli.about import show_settings, show_version
from runbook.engine.settings import Settings, load


def test_each_setting_says_where_it_comes_from_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"TODO_HOST": "my.local", "OPENAI_API_KEY": "sk-0123456789abcdefghij"}
    chosen = load({"tag": "2.0.0"}, {"cluster_name": "mine"}, environment)
    show_settings(chosen, as_json=True)
    text = capsys.readouterr().out
    rows = json.loads(text)["settings"]
    assert rows.keys() == Settings.model_fields.keys()
    assert rows["host"] == {"value": "my.local", "origin": "by TODO_HOST"}
    assert rows["tag"] == {"value": "2.0.0", "origin": "in invoke.yaml"}
    assert rows["cluster_name"] == {"value": "mine", "origin": "by --name"}
    assert rows["release"] == {"value": "todo-app", "origin": "default"}
    assert (rows["openai_api_key"]["value"], rows["database_url"]["value"]) == ("set", "not set")
    show_settings(chosen, as_json=False)
    assert "0123456789" not in text + capsys.readouterr().out


def test_the_version_names_the_program_and_its_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_version(tmp_path, as_json=True)
    rows = json.loads(capsys.readouterr().out)["versions"]
    assert rows["commit"] == "unknown"
    assert rows["kubernetes"].startswith("v1.")
    assert rows["todo-runbook"]
