"""The exception tree.

Every error that a user can meet says three things in one line: what was seen, what was wanted, what to try.
"""

from __future__ import annotations


class RunbookError(Exception):
    """Something that the user is told about in one line, without a traceback.

    `observed`, `wanted` and `hint` are single sentences; `hint` is a command that one can paste, or advice.
    """

    exit_code = 1

    def __init__(self, observed: str, *, wanted: str = "", hint: str = "") -> None:
        super().__init__(observed)
        self.observed = observed
        self.wanted = wanted
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.observed]
        if self.wanted:
            parts.append(f"wanted: {self.wanted}")
        if self.hint:
            parts.append(f"try: {self.hint}")
        return "; ".join(parts)


class UsageError(RunbookError):
    """Bad input: nothing was changed. Exit code 2."""

    exit_code = 2


class Foreign(UsageError):
    """Something that would have to be changed was made by somebody else: nothing was changed."""


class Unmeasurable(RunbookError):
    """A check could not look: tool missing, API away, control did not connect, nothing there. Never green."""

    exit_code = 3


class CommandFailed(RunbookError):
    """An external command ended with a non-zero status; `observed` holds the redacted, pasteable command."""


class CommandMissing(Unmeasurable):
    """An external command is not installed; `hint` says how to install it."""


class TimedOut(RunbookError):
    """A bounded wait ended; `observed` holds the last observation, so that the reason is known."""


class WrongCluster(RunbookError):
    """The cluster that answers is not the one that was pinned: nothing was written."""
