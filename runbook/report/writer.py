"""The one door to a stream: every line that is shown goes through it and is redacted."""

from __future__ import annotations

import os
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from runbook.engine.redaction import redact


class Writer:
    """Writes redacted lines to a stream; a reader that went away (`inv tasks | head`) is no error, nor is a closed one.

    A stream that is not UTF-8 shows `?` for what it cannot: rich writes to it as well.
    """

    def __init__(self, stream: IO[str] | None) -> None:
        self.stream: IO[str] = stream if stream is not None else Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        self.gone = False
        """The reader went away: nobody sees what else is written."""
        if not self.is_unicode and isinstance(self.stream, TextIOWrapper):
            self.stream.reconfigure(errors="replace")

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
        try:
            self.stream.write(text + "\n")
            self.stream.flush()
        except BrokenPipeError:
            self.gone = True
