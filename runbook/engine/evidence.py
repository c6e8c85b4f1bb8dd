"""What a drill saw, written down for the step after it: free of secrets, and of one identity of the application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.engine import state_file
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.redaction import redacted

if TYPE_CHECKING:
    from runbook.engine.settings import Settings


def write(settings: Settings, name: str, content: Mapping[str, Any]) -> None:
    path = settings.state / "evidence" / f"{name}.json"
    state_file.write_json(path, redacted(content))


def require(settings: Settings, name: str, identity: str, *, step: str) -> dict[str, Any]:
    """The last proof of that name, which must be of this identity. Raises `Unmeasurable`, which names its step."""
    hint = f"inv verify.step {step} --drills"
    path = settings.state / "evidence" / f"{name}.json"
    try:
        content: dict[str, Any] = state_file.read_json(path) or {}
    except RunbookError:
        content = {}
    if not content:
        raise Unmeasurable(f"the drill of {step} has not been run yet", wanted="its proof", hint=hint)
    if content.get("identity") != identity:
        raise Unmeasurable(
            f"the drill of {step} was run with other images, or with another database",
            wanted="a proof of the application as it runs now",
            hint=hint,
        )
    return content
