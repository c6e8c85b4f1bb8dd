"""docs/: what it quotes is what the program says, and its generated pages hold every step and every setting."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from runbook import catalogue
from runbook.engine.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]
QUOTED = re.findall(
    r"^\| (?!it says)([^|-][^|]*?) \|", (PROJECT / "docs/troubleshooting.md").read_text(), re.MULTILINE
)
OTHERS = ("another operation is in progress",)
"""Helm's own words."""


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", PROJECT / "docs/hooks/reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("words", [each for each in QUOTED if each not in OTHERS])
def test_troubleshooting_quotes_the_program(words: str) -> None:
    source = "".join(path.read_text() for path in (PROJECT / "runbook").rglob("*.py"))
    for part in words.split("..."):
        told = re.escape(re.sub(r"\d+", "0", part.strip())).replace("0", ".+?")
        assert re.search(told, source), part


def test_the_reference_holds_every_step_and_setting(reference: ModuleType) -> None:
    steps, settings = "\n".join(reference.steps()), "\n".join(reference.settings())
    assert re.findall(r"^### (T\d+) ", steps, re.MULTILINE) == [step.id for step in catalogue.STEPS]
    assert {key for key in Settings.model_fields if f"| `{key}` |" not in settings} == {"project"}


def test_no_default_of_a_secret_is_shown(reference: ModuleType) -> None:
    rows = [line for line in reference.settings() if "`database_url`" in line or "`openai_api_key`" in line]
    assert len(rows) == 2
    assert all(row.split("|")[3].strip() == "" for row in rows)
