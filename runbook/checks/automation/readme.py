"""The README: what it promises a reader, compared with what the program has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from runbook.checks.automation.scripts import listed, names
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from markdown_it.token import Token

    from runbook.world import World

README = "README.md"
ENTRY = "scripts/bootstrap.sh && .venv/bin/inv deploy"
TESTS = "scripts/test.sh"
REQUIREMENTS = ("Linux", "Python", "Go", "Node")
TROUBLE = "When something is wrong"
FEWEST_TIPS = 5
_COMMAND = re.compile(r"(?:^|[\s`&|(])(?:\.venv/bin/)?inv ([a-z][a-z.]*)")


def quick_start(world: World) -> Outcome:
    """It says what this is, what it needs, and the two commands; its list of commands is `inv --list`, and each command
    that it shows exists.

    Source: T124.
    """
    wanted = "an overview, the prerequisites, the two commands, and commands that exist"
    text, tokens = _read(world)
    blocks = [token.content for token in tokens if token.type in ("fence", "code_block")]
    first = "\n".join(token.content for token in tokens[:12] if token.type == "inline")
    problems = [f"its beginning does not name {each}" for each in REQUIREMENTS if each not in first]
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    problems += [f"no block has the command {each}" for each in (ENTRY, TESTS) if each not in lines]
    shown = {" ".join(line.split()) for line in lines}
    problems += [
        f"its list has no line for {name}, as inv --list prints it"
        for name, told in listed(world).items()
        if f"{_title(name, told['aliases'])} {told['help']}" not in shown
    ]
    known = names(world)
    problems += [f"there is no inv {each}" for each in _commands([text]) if each not in known]
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=f"edit {README}; inv --list")
    return passed(
        f"overview, prerequisites, two commands; all {len(listed(world))} commands listed as they are",
        wanted=wanted,
    )


def trouble(world: World) -> Outcome:
    """Its section on trouble has advice for the usual faults, each with something to do, and commands that exist.

    Source: T125.
    """
    wanted = f"a section {TROUBLE!r} with {FEWEST_TIPS} pieces of advice or more, each with something to run or look at"
    _, tokens = _read(world)
    tips = _tips(tokens)
    if len(tips) < FEWEST_TIPS:
        return failed(f"it has {len(tips)} pieces of advice", wanted=wanted, hint=f"edit {README}")
    idle = [tip.partition("\n")[0][:60] for tip in tips if "`" not in tip]
    problems = [f"nothing to do is named in: {tip}" for tip in idle]
    problems += [f"there is no inv {each}" for each in _commands(tips) if each not in names(world)]
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=f"edit {README}")
    return passed(f"{len(tips)} pieces of advice, whose commands exist", wanted=wanted)


def _read(world: World) -> tuple[str, list[Token]]:
    from markdown_it import MarkdownIt

    text = (world.settings.project / README).read_text()
    return text, MarkdownIt().parse(text)


def _title(name: str, aliases: Iterable[str]) -> str:
    """A command as `inv --list` writes it: dapr.on (dapr)."""
    return f"{name} ({', '.join(aliases)})" if aliases else name


def _commands(texts: Iterable[str]) -> list[str]:
    found = [match.rstrip(".") for text in texts for match in _COMMAND.findall(text)]
    return list(dict.fromkeys(found))


def _tips(tokens: list[Token]) -> list[str]:
    """The items of the list below that heading."""
    found: list[str] = []
    inside, item = False, False
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open" and token.type == "inline":
            inside = token.content == TROUBLE
        elif token.type == "list_item_open":
            item = True
        elif token.type == "list_item_close":
            item = False
        elif inside and item and token.type == "inline":
            found.append(token.content)
    return found
