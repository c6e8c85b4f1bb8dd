"""The one door to a stream: every line that is shown goes through it and is redacted."""

from __future__ import annotations

from contextlib import suppress
from typing import IO

from runbook.engine.redaction import redact


class Writer:
    """Writes redacted lines to a stream; a reader that went away (`inv tasks | head`) is no error."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    @property
    def is_terminal(self) -> bool:
        return self.stream.isatty()

    @property
    def is_unicode(self) -> bool:
        return (getattr(self.stream, "encoding", None) or "").lower().replace("-", "") == "utf8"

    def line(self, text: str = "") -> None:
        text = redact(text)
        if not self.is_unicode:
            text = text.encode("ascii", "replace").decode()
        with suppress(BrokenPipeError, ValueError):
            self.stream.write(text + "\n")
            self.stream.flush()
