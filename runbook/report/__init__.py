"""What a person or a machine reads of a run: the only code that prints, and all of it redacted."""

from __future__ import annotations

from typing import Protocol

from runbook.engine.events import Event, Run


class Reporter(Protocol):
    """Shows a run while it goes (`on_event`, always from one thread) and sums it up (`end`)."""

    def on_event(self, event: Event) -> None: ...

    def end(self, run: Run) -> None: ...
