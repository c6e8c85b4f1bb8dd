"""The project's one table of database URLs, which the runbook and all three services read alike."""

import json
from typing import Any

from harness.processes import BACKEND

_TABLE = json.loads((BACKEND.parent / "tests" / "database_urls.json").read_text())
ACCEPTED: list[dict[str, Any]] = _TABLE["accepted"]
REFUSED: list[dict[str, str]] = _TABLE["refused"]


def shown(url: str) -> list[str]:
    """Parts of a refused URL that no message may hold."""
    return [part for part in ("hidden", "hid", "zen@", "den@", "db.example", "one.example") if part in url]
