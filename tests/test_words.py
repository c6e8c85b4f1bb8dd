"""Words that users read: those of the field. What is listed here was private to this project, and has a plain one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
INSTEAD = {
    r"\b(?:made|started|answered) anew\b": "recreated, restarted, answered again",
    r"(?<![Tt]here )\bis no (?!longer|more)\w": "is not a ...",
    r"\bstands? in clear\b": "is in plain text",
    r"\bnot tidy\b": "not cleaned up",
    r"\b(?:was|were) not held\b": "has not been run",
    r"\bheld to (?:\d|nothing)": "limited to",
    r"\bgone on with\b": "resumed",
}
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md")


def _printed(file: Path) -> Iterator[str]:
    """The texts of a module, its docstrings aside; parts of an f-string are one text."""
    tree = ast.parse(file.read_text())
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            yield "".join(
                part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "x"
                for part in node.values
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


@cache
def _texts() -> list[tuple[Path, str]]:
    texts = [(file, text) for file in sorted((PROJECT / "runbook").rglob("*.py")) for text in _printed(file)]
    documents = [*(PROJECT / each for each in DOCUMENTS), *sorted((PROJECT / "docs").rglob("*.md"))]
    return texts + [(file, file.read_text()) for file in documents]


@pytest.mark.parametrize("pattern", INSTEAD)
def test_messages_and_documents_use_the_words_of_the_field(pattern: str) -> None:
    texts = _texts()
    found = [
        f"{file.relative_to(PROJECT)}: {match.group()}"
        for file, text in texts
        if (match := re.search(pattern, text))
    ]
    assert len(texts) > 1000
    assert found == [], f"say: {INSTEAD[pattern]}"
