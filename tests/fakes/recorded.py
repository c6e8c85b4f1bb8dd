"""A stand-in for external commands that answers as recorded and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from runbook.clients.process.commands import CommandResult, Commands
from runbook.engine.errors import CommandFailed

Answer = str | tuple[int, str] | tuple[int, str, str] | Callable[[], "Answer"]
"""Standard output, or exit status and standard output, or these and standard error."""


class Recorded:
    """Answers by the longest recorded beginning of a command; one that was not recorded is an error of the test."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []
        self.stdin: list[str] = []
        self.environment: Mapping[str, str] = {}

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        cwd: Path | None = None,
    ) -> CommandResult:
        command = " ".join(str(word) for word in argv)
        self.asked.append(command)
        self.environment = env or {}
        if isinstance(stdin, str):
            self.stdin.append(stdin)
        fitting = [begin for begin in self.answers if command.startswith(begin)]
        assert fitting, f"not recorded: {command}"
        answer = self.answers[max(fitting, key=len)]
        if callable(answer):
            answer = answer()
        code, words, *rest = answer if isinstance(answer, tuple) else (0, answer)
        if check and code != 0:
            raise CommandFailed(f"`{command}` ended with status {code}: {words}")
        return CommandResult(words, "".join(rest) if rest else words if code else "", code)

    def find(self, name: str) -> Path | None:
        """Installed is what an answer was recorded of."""
        return (
            Path("/usr/bin", name)
            if any(f"{each} ".startswith(f"{name} ") for each in self.answers)
            else None
        )

    def as_commands(self) -> Commands:
        return cast("Commands", self)
