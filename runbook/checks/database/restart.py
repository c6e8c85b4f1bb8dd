"""Data outlives pods: the backend's are deleted, others take their place unasked, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.checks.cluster.pods import fingerprint
from runbook.engine import evidence
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.probes import replaced, rows

if TYPE_CHECKING:
    from runbook.world import World


def replaced_by_another(world: World) -> Outcome:
    """Deleted, each pod is gone by its UID, another one is Ready without anybody's help, and the application answers.

    A drill: with one replica the application is away until the new pod is Ready. How long is measured.

    Source: T116.
    """
    wanted = "the pod gone and another one Ready, unasked; the application answers again"
    seen = replaced.hold(world, fingerprint(world))
    if set(seen["old"]) & set(seen["new"]):
        return failed("the deleted pod is still there", wanted=wanted, hint="inv verify.step T049", **seen)
    left = f"; not cleaned up: {seen['left']}" if seen["left"] else ""
    return passed(
        f"{', '.join(seen['old'])} deleted; {', '.join(seen['new'])} Ready after {seen['ready_seconds']:.1f} s;"
        f" the old gone after {seen['gone_seconds']:.1f} s, and an answer {seen['answered_seconds']:.1f} s later{left}",
        wanted=wanted,
        **seen,
    )


def remembers(world: World) -> Outcome:
    """The new pod itself answers the same person with the same tasks, and every row is as it was, by its last writer.

    Stands on the drill of the step before.

    Source: T117.
    """
    wanted = "the same tasks by the new pod's API; no row lost, none written again"
    hint = "inv verify.step T116 --drills"
    seen = evidence.require(world.settings, replaced.NAME, fingerprint(world), step="T116")
    if not seen.get("before") or "after" not in seen:
        return unproven("the drill of T116 did not come to its end", wanted=wanted, hint=hint)
    problems = rows.differences(seen["before"], seen["after"])
    nonce = str(seen["nonce"])
    if len(seen["titles"]) != 2 or not all(nonce in title for title in seen["titles"]):
        problems.append(f"the new pod lists {len(seen['titles'])} tasks, not the two that were stored")
    if seen["conversations"] != 1:
        problems.append(f"the new pod lists {seen['conversations']} conversations, not the one from before")
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, **seen)
    return passed(
        f"{seen['served_by']} answered with {len(seen['titles'])} tasks; {len(seen['before'])} rows as they were,"
        " 0 lost",
        wanted=wanted,
        **seen,
    )
