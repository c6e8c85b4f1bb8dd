"""ARCHITECTURE.md: its drawing is the contract that import-linter holds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def test_the_drawing_shows_the_layers_in_their_order() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    contract, _ = settings["tool"]["importlinter"]["contracts"]
    drawing = (PROJECT / "ARCHITECTURE.md").read_text().split("```")[1]
    assert re.findall(r"^(\w+) ", drawing, re.MULTILINE) == contract["layers"]
    assert all((PROJECT / "runbook" / layer / "__init__.py").is_file() for layer in contract["layers"])
