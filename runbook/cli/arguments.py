"""The command line judged before anything runs: bad input is one line, a suggestion, and exit code 2.

Invoke ends with 1 for a typo, which here means that a step failed, and has no suggestions.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program

BAD_INPUT = 2
NOT_JUDGED = ("--complete", "--print-completion-script", "--version", "-V")
"""Core flags that Invoke answers by itself, whatever else is on the line."""

WITHOUT_EFFECT = ("echo", "hide", "pty", "warn-only", "command-timeout", "prompt-for-sudo-password")
"""Core flags about shell lines that Invoke runs; here there are none."""


def refuse_bad_input(commands: Collection) -> None:
    """Judge this process's command line, where Invoke runs it. Raises `Exit` with code 2 for what it would not take."""
    program = Path(sys.argv[0])
    by_invoke = program.name in ("inv", "invoke") or program.parts[-2:] == ("invoke", "__main__.py")
    if by_invoke and (problem := problem_of(sys.argv[1:], commands.to_contexts())):
        raise Exit(problem, code=BAD_INPUT)


def problem_of(words: Sequence[str], contexts: list[ParserContext]) -> str:
    """Why Invoke's parser does not take these words, in one line with what to try; empty where it does."""
    if any(word in NOT_JUDGED for word in words):
        return ""
    program = Program()
    core = ParserContext(args=[*program.core_args(), *program.task_args()])
    try:  # in two passes, as Invoke does
        first = Parser(initial=core, ignore_unknown=True).parse_argv(list(words))
        second, *commands = Parser(contexts=contexts, initial=core).parse_argv(first.unparsed)
    except ParseError as error:
        return _explained(error, contexts)
    if any(each.args["dry"].value for each in (first[0], second)):
        return "--dry is not supported: commands are not shell lines; try: inv plan"
    if idle := [name for name in WITHOUT_EFFECT if first[0].args[name].value or second.args[name].value]:
        return f"--{idle[0]} is not supported: commands are not shell lines; try: inv --list"
    if commands and (flag := _flag_without_value(words, commands[0])):
        return f"{flag} needs a value; try: inv {commands[0].name} --help"
    if len(commands) > 1:
        names = [str(command.name) for command in commands]
        return f"{len(names)} commands at once: {' '.join(names)}; try: {' && '.join(f'inv {each}' for each in names)}"
    return ""


def _flag_without_value(words: Sequence[str], command: ParserContext) -> str:
    """A flag that may be repeated and has no value, which Invoke takes for an empty list."""
    repeated = {flag for flag, argument in command.flags.items() if argument.kind is list}
    for word, after in pairwise([*words, "--"]):
        if word in repeated and after.startswith("-") and after != "-":
            return word
    return ""


def _explained(error: ParseError, contexts: list[ParserContext]) -> str:
    text, context = str(error), error.context
    name = context.name if context else None
    if match := re.search(r"No idea what '(.*)' is!", text):
        word = match[1]
        if word.startswith("-"):
            flags = [flag for flag in (context.flags if context else {}) if flag.startswith("--")]
            command = f"inv {name}" if name else "inv"
            return _suggest(f"{command} has no flag {word}", word, flags, f"{command} --help")
        if name:
            return f"inv {name} takes no argument {word!r}; try: inv {name} --help"
        return _unknown_command(word, contexts)
    if match := re.search(r"Argument: ([\w-]+)", text):
        return f"--{match[1]} needs a value; try: inv {name} --help"
    if match := re.search(r"did not receive required positional arguments: (.*)", text):
        return f"inv {name} needs: {match[1]}; try: inv {name} --help"
    return f"{text.rstrip('!.')}; try: inv --list"


def _unknown_command(word: str, contexts: Iterable[ParserContext]) -> str:
    names = [name for context in contexts for name in (context.name, *context.aliases) if name]
    if inside := [name for name in names if name.startswith(f"{word}.")]:
        return f"{word} is a group of commands; try: {', '.join(f'inv {name}' for name in sorted(inside))}"
    return _suggest(f"there is no command {word!r}", word, names, "inv --list")


def _suggest(problem: str, word: str, known: Sequence[Any], otherwise: str) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"{problem}; did you mean {near[0]}?" if near else f"{problem}; try: {otherwise}"
