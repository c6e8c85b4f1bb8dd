"""What a drill saw, written down for the step after it: free of secrets, and of one identity of the application."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.errors import Unmeasurable

if TYPE_CHECKING:
    from runbook.settings import Settings


def write(settings: Settings, name: str, content: Mapping[str, Any]) -> None:
    path = settings.state / "evidence" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(path)


def require(settings: Settings, name: str, identity: str, *, step: str) -> dict[str, Any]:
    """The last proof of that name, which must be of this identity. Raises `Unmeasurable`, which names its step."""
    hint = f"inv verify.step {step} --drills"
    path = settings.state / "evidence" / f"{name}.json"
    try:
        content = dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        raise Unmeasurable(f"the drill of {step} was not held yet", wanted="its proof", hint=hint) from None
    if content.get("identity") != identity:
        raise Unmeasurable(
            f"the drill of {step} was held with other images, or with another database",
            wanted="a proof of the application as it runs now",
            hint=hint,
        )
    return content
