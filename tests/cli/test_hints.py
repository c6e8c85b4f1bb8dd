"""Every `inv ...` that the program or its documentation advises can be typed as it is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program

import tasks
from runbook import faults
from runbook.catalogue import find
from runbook.engine.settings import load

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = (PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")))
SAMPLES = {"verify.step": "T049", "verify.mutants": "security", "--change-": "database"}
"""What stands for a part of a command that is only known when it is printed."""
_COMMAND = re.compile(r"(?<![\w./-])(?:\.venv/bin/)?inv (?!as )(?P<words>[a-z\-][^`;|&()#\n]*)")
_END = re.compile(
    r" {2}| >|,|\.(?=\s|$)|\s(?:or|and|to|in|as|with|again|once|after|then|where|which|whose)\s"
)


def _typed(text: str) -> Iterator[list[str]]:
    for match in _COMMAND.finditer(text):
        yield _END.split(match["words"])[0].split()


def _literal(node: ast.expr) -> str:
    """A hint as text, with samples for the parts that are filled in later."""
    if isinstance(node, ast.JoinedStr):
        text = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += str(part.value)
            else:
                words = text.split()
                text += SAMPLES.get(words[-1] if words else "", "sample")
        return text
    if isinstance(node, ast.BinOp):
        return _literal(node.left) + _literal(node.right)
    if isinstance(node, ast.IfExp):
        return f"{_literal(node.body)}; {_literal(node.orelse)}"
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _hints(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.keyword(arg="hint" | "default", value=value):
                yield _literal(value)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if "hint" in name.lower():
                yield _literal(value)


def _code(file: Path) -> Iterator[str]:
    """What stands in a fenced or indented block, or between backticks."""
    fenced = False
    for line in file.read_text().splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line
        else:
            yield from re.findall(r"`([^`]+)`", line)


CASES = sorted(
    {
        (str(file.relative_to(PROJECT)), " ".join(words))
        for files, texts in (
            (sorted((PROJECT / "runbook").rglob("*.py")), _hints),
            (DOCUMENTS, _code),
        )
        for file in files
        for text in texts(file)
        for words in _typed(text)
    }
)


def test_there_is_advice_to_look_at() -> None:
    sources = {source for source, _ in CASES}
    assert "README.md" in sources
    assert len([source for source in sources if source.startswith("runbook/")]) > 20


@pytest.mark.parametrize(("source", "command"), CASES)
def test_it_can_be_typed(source: str, command: str) -> None:
    resolve(command)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("deplyo", ParseError),
        ("deploy --clustr kind", ParseError),
        ("verify.step T999", Exception),
        ("verify.step", ParseError),
        ("verify.mutants everything", Exception),
    ],
)
def test_what_cannot_be_typed_is_found(command: str, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        resolve(command)


def resolve(command: str) -> None:
    """Parse a command as Invoke does, and look up the step or the group of faults that it names."""
    words = ["security" if word in ("X", "GROUP", "…", "...") else word for word in command.split()]
    core = ParserContext(args=Program().core_args())
    parsed = Parser(contexts=tasks.ns.to_contexts(), initial=core).parse_argv(words)
    for context in parsed:
        if context.missing_positional_args:
            raise ParseError(f"{context.name} wants {context.missing_positional_args}", context)
        if context.name == "verify.step":
            find(context.args["step"].value, printed=bool(context.args["printed"].value))
        elif context.name == "verify.mutants":
            faults.group(context.args["group"].value, load({}, {}))
