"""What can go wrong with the assistant, in words and statuses for people; never an exception's own text."""

from dataclasses import dataclass, replace

import openai
from agents import exceptions as agent_errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from todo_backend.database import DatabaseUnavailableError

_SOON_SECONDS = 10
_RATE_LIMIT_SECONDS = 30


class ToolsUnavailableError(Exception):
    """The MCP server did not answer when its tools were asked for."""


class EmptyReplyError(Exception):
    """The model ended its turn without a word."""


@dataclass(frozen=True)
class Failure:
    """How a failed turn is answered; `retry_after` is in seconds."""

    status: int
    text: str
    retry_after: int | None = None

    def after(self, tool_calls: int) -> "Failure":
        """The failure of a turn whose message is saved and whose first `tool_calls` tools had run."""
        done = " Some changes to your tasks were already made." if tool_calls else ""
        return replace(self, text=f"{self.text} Your message is saved.{done}")


AGENT_FAILED = Failure(
    500, "The assistant could not finish this. Please put it in other words and try again."
)
_MODEL_DOWN = Failure(503, "The assistant cannot be reached right now. Please try again soon.", _SOON_SECONDS)
_TOO_SLOW = Failure(503, "The assistant took too long to answer. Please try again soon.", _SOON_SECONDS)
_MISCONFIGURED = Failure(
    502, "The assistant is not set up correctly, so it cannot answer. Please tell the operator."
)

_FAILURES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Failure], ...] = (
    (
        ToolsUnavailableError,
        Failure(503, "The task tools cannot be reached right now. Please try again soon.", _SOON_SECONDS),
    ),
    (
        (DatabaseUnavailableError, DBAPIError, PoolTimeoutError),
        Failure(503, "The answer could not be saved. Please try again soon.", _SOON_SECONDS),
    ),
    (openai.RateLimitError, Failure(429, "High demand. Please wait 30s.", _RATE_LIMIT_SECONDS)),
    ((openai.APITimeoutError, agent_errors.ModelTimeoutError, TimeoutError), _TOO_SLOW),
    ((openai.APIConnectionError, openai.InternalServerError), _MODEL_DOWN),
    (openai.APIStatusError, _MISCONFIGURED),
)


def failure_of(error: BaseException) -> Failure:
    """The answer for `error`; the first kind that fits, so narrow kinds come first."""
    return next((failure for kinds, failure in _FAILURES if isinstance(error, kinds)), AGENT_FAILED)
