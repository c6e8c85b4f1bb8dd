"""What this runbook made outside of the cluster's own objects, written down when it is made, so that cleanup knows.

Objects in the cluster carry the id of the installation instead.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbook.engine import state_file
from runbook.engine.errors import RunbookError
from runbook.engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was made: its kind (hosts entry, cluster), its name, and when."""

    kind: str
    name: str
    at: str


class Ledger:
    """A small file in the state folder of the cluster."""

    def __init__(self, settings: Settings) -> None:
        self._path: Path = settings.state / "ledger.json"

    def entries(self) -> tuple[Entry, ...]:
        """All entries, oldest first. Raises `RunbookError` where the file is damaged: then nothing is guessed."""
        try:
            content = json.loads(self._path.read_text())
            return tuple(Entry(**each) for each in content)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError, RecursionError) as problem:
            raise RunbookError(
                f"the ledger {self._path} cannot be read: {problem}",
                wanted="the list of what was made",
                hint=f"mv {self._path} {self._path}.broken  (cleanup then removes only what carries our id)",
            ) from None

    def holds(self, kind: str, name: str) -> bool:
        return any((each.kind, each.name) == (kind, name) for each in self.entries())

    def add(self, kind: str, name: str) -> None:
        """Write down what is about to be made; once."""
        if not self.holds(kind, name):
            self._write((*self.entries(), Entry(kind, name, datetime.now(UTC).isoformat(timespec="seconds"))))

    def strike(self, kind: str, name: str) -> None:
        """Take out what is gone."""
        if self.holds(kind, name):
            self._write(tuple(each for each in self.entries() if (each.kind, each.name) != (kind, name)))

    def _write(self, entries: tuple[Entry, ...]) -> None:
        state_file.write_json(self._path, [asdict(each) for each in entries])
