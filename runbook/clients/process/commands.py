"""External commands: argument lists, a deadline for the process group, LC_ALL=C, no secret in an error."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from plumbum import CommandNotFound, local

from runbook.clients.process.environment import of_child
from runbook.clients.process.foreground import foreground
from runbook.clients.process.remedies import how_to_install
from runbook.engine.errors import CommandFailed, CommandMissing, TimedOut
from runbook.engine.redaction import conceal, redact
from runbook.engine.settings import Settings

GRACE = 5.0
"""Seconds between asking a process group to stop (SIGTERM) and ending it (SIGKILL)."""

SHOWN_LINES = 8
"""Lines of a failed command's output that its error carries: the last ones, where programs say why."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a finished command wrote, and its exit status; not redacted: redact before showing."""

    stdout: str
    stderr: str
    code: int


def pasteable(argv: Sequence[str | Path]) -> str:
    """The command as one can paste it into a shell, secrets redacted."""
    return redact(shlex.join(str(part) for part in argv))


class Commands:
    """Runs external commands. Nothing is ever passed through a shell."""

    def __init__(self, settings: Settings) -> None:
        conceal(settings.database_url.get_secret_value(), settings.openai_api_key.get_secret_value())

    def find(self, name: str) -> Path | None:
        """Where a command lies on PATH, or None."""
        try:
            return Path(str(local.which(name)))
        except CommandNotFound:
            return None

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
        """Run to the end within `timeout` seconds; then the whole process group is ended.

        `stdin` is the way for secrets; without it the command reads an empty input. `env` is added to what
        `environment` gives the command. Raises `CommandMissing`, `TimedOut` and, with `check`, `CommandFailed`.
        """
        source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        process = self.start(argv, env=env, cwd=cwd, stdin=source)
        given = stdin.encode() if isinstance(stdin, str) else stdin
        try:
            with foreground(process):
                out, err = process.communicate(given, timeout=timeout)
        except subprocess.TimeoutExpired:
            out, err = end_group(process)
            raise TimedOut(
                f"`{pasteable(argv)}` did not end within {timeout:g} s{_last_words(out, err)}",
                wanted=f"an end within {timeout:g} s",
                hint=pasteable(argv),
            ) from None
        except BaseException:
            end_group(process)
            raise
        result = CommandResult(_text(out), _text(err), process.returncode)
        if check and result.code != 0:
            raise CommandFailed(
                f"`{pasteable(argv)}` ended with {_ending(result.code)}{_last_words(out, err)}",
                wanted="exit status 0",
                hint=pasteable(argv),
            )
        return result

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start a command in a session of its own, so that `end_group` reaches all its children."""
        name, *arguments = (str(part) for part in argv)
        try:
            process = local[name].popen(
                arguments,
                env=of_child(argv, env),
                cwd=str(cwd) if cwd else None,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        except (CommandNotFound, FileNotFoundError, PermissionError):
            raise CommandMissing(
                f"the command {Path(name).name} is not there",
                wanted=f"{Path(name).name} installed",
                hint=how_to_install(name),
            ) from None
        return cast("subprocess.Popen[bytes]", process)


def end_group(process: subprocess.Popen[bytes], grace: float = GRACE) -> tuple[bytes, bytes]:
    """Stop a started command and all its children; returns what it had written."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        try:
            out, err = process.communicate(timeout=grace)
        except subprocess.TimeoutExpired:
            continue
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return out or b"", err or b""
    return b"", b""


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")


def _ending(code: int) -> str:
    return f"exit status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _last_words(out: bytes, err: bytes) -> str:
    """The end of what a failed command said, from standard error if it wrote there."""
    lines = [line.strip() for line in (_text(err).strip() or _text(out).strip()).splitlines() if line.strip()]
    return redact(": " + " | ".join(lines[-SHOWN_LINES:])) if lines else ""
