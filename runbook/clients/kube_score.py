"""kube-score, which judges Kubernetes manifests without a cluster: the user's own on PATH, else the toolchain's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from runbook.engine.errors import CommandFailed, UsageError

if TYPE_CHECKING:
    from runbook.clients.process.commands import CommandResult, Commands

PART = "kube-score"
KUBERNETES = "v1.35"
"""Whose API versions count as current."""
DEADLINE = 120.0
"""Seconds; 5 MB of manifests take about 4."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of its tests run: `disable` and `enable` (tests that are optional), each test with the reason."""

    disable: Mapping[str, str] = field(default_factory=dict)
    enable: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        off = [f"--ignore-test={name}" for name in self.disable]
        return [*off, *(f"--enable-optional-test={name}" for name in self.enable)]


class KubeScore:
    """Every call reads files and writes nothing."""

    def __init__(self, commands: Commands, built: Callable[[], Path]) -> None:
        self._commands = commands
        self._built = built

    @cached_property
    def binary(self) -> Path:
        """That on PATH, else what `built` gives. Raises `CommandMissing` where it can give none."""
        if found := self._commands.find(PART):
            return found
        return self._built()

    @cached_property
    def tests(self) -> tuple[str, ...]:
        """The ids of all its tests."""
        listed = self._commands.run([self.binary, "list"], timeout=DEADLINE).stdout
        return tuple(line.partition(",")[0] for line in listed.splitlines() if line)

    def choice(self, file: Path) -> Choice:
        """Read a file of the mappings `disable` and `enable`, test to reason. Raises `UsageError` otherwise."""
        wanted = "the mappings disable and enable: the id of a test, and the reason"
        try:
            read = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise UsageError(
                f"{file} cannot be read: {' '.join(str(error).split())}", wanted=wanted
            ) from None
        if not isinstance(read, dict) or read.keys() - {"disable", "enable"}:
            raise UsageError(f"{file} has other keys than disable and enable", wanted=wanted)
        for name, group in read.items():
            if not isinstance(group, dict) or not all(isinstance(why, str) and why for why in group.values()):
                raise UsageError(f"{file}: a test of `{name}` has no reason", wanted=wanted)
            for test in group:
                if test not in self.tests:
                    near = get_close_matches(str(test), self.tests, 1)
                    hint = f"write {near[0]}" if near else f"{self.binary} list"
                    raise UsageError(f"{file}: kube-score has no test {test!r}", wanted=wanted, hint=hint)
        return Choice(read.get("disable") or {}, read.get("enable") or {})

    def score(self, files: Sequence[Path], choice: Choice) -> list[dict[str, Any]]:
        """What it says of each object of these files, as its JSON (version v2) has it; none for foreign YAML.

        Objects of the files belong together: a Service of one may select pods of another. Raises `CommandFailed`
        where one of them cannot be read.
        """
        result = self._run(files, choice, "json")
        try:
            found = json.loads(result.stdout)
        except ValueError:
            why = " ".join(result.stderr.split()).removeprefix("Failed to score files: ")
            raise CommandFailed(why or f"kube-score ended with exit status {result.code}") from None
        return list(found or [])

    def text(self, files: Sequence[Path], choice: Choice, form: str, *, colour: bool = False) -> str:
        """Its own report in one of its formats: human, ci, sarif, junit."""
        return self._run(files, choice, form, colour=colour).stdout

    def _run(
        self, files: Sequence[Path], choice: Choice, form: str, *, colour: bool = False
    ) -> CommandResult:
        options = [f"--output-format={form}", f"--kubernetes-version={KUBERNETES}", *choice.arguments()]
        shade = f"--color={'always' if colour else 'never'}"
        argv: list[str | Path] = [self.binary, "score", *options, shade, *files]
        return self._commands.run(argv, timeout=DEADLINE, check=False)
