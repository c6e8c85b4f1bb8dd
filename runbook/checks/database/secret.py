"""The application's Secret: every key with a value that can be used, and no copy of it where it does not belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.app.application import SECRET
from runbook.app.secrets import secret_data
from runbook.app.secrets.secret_data import LAST_APPLIED
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World


def complete(world: World) -> Outcome:
    """Each key has a value of the right form, and the stand-in's roles are those of the URLs; no value is told.

    Values that came over a command line cannot be told from others afterwards; who wrote them is told instead.

    Source: T106.
    """
    space = world.settings.namespace
    wanted = f"Secret {SECRET} in namespace {space} with {len(secret_data.KEYS)} keys that can be used"
    hint = "inv deploy"
    problems = secret_data.problems(world)
    secret = world.api.get("Secret", SECRET, space) or {"metadata": {}}
    if LAST_APPLIED in (secret["metadata"].get("annotations") or {}):
        problems.append(f"Secret {SECRET} holds a copy of its values in the annotation {LAST_APPLIED}")
        hint = f"kubectl --namespace {space} annotate secret {SECRET} {LAST_APPLIED}-"
    if secret.get("immutable"):
        problems.append(f"Secret {SECRET} is immutable: its credentials can never be changed")
        hint = f"kubectl --namespace {space} delete secret {SECRET}; inv deploy"
    writers = sorted({str(each.get("manager")) for each in secret["metadata"].get("managedFields") or []})
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, writers=writers)
    turning = "; new credentials are half-way in: inv db" if secret_data.rotating(world) else ""
    return passed(
        f"{len(secret_data.KEYS)} keys, each of the right form; "
        f"written by {', '.join(writers) or 'nobody known'}{turning}",
        wanted=wanted,
        keys=list(secret_data.KEYS),
        writers=writers,
    )
