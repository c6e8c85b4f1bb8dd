"""Whether a Helm release is the one that its blueprint describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.app.drift import differences
from runbook.clients.kube.releases import Revision, newest

if TYPE_CHECKING:
    from runbook.app.blueprint import Blueprint
    from runbook.world import World

DEPLOYED = "deployed"


def problems(world: World, wanted: Blueprint, last: Revision | None) -> list[str]:
    """None when the release is deployed from exactly its blueprint, and its objects are as it installed them."""
    problem = problem_of(wanted, last)
    if problem or last is None:
        return [problem]
    return differences(world.api, last.manifest(), wanted.namespace)


def is_current(world: World, wanted: Blueprint) -> bool:
    return not problems(world, wanted, newest(world.api, wanted.release, wanted.namespace))


def problem_of(wanted: Blueprint, last: Revision | None) -> str:
    """Empty when the release is deployed from exactly its blueprint."""
    if last is None:
        return f"there is no release {wanted.release} in namespace {wanted.namespace}"
    if last.status != DEPLOYED:
        return f"revision {last.revision} of release {wanted.release} is {last.status}"
    if last.digest != wanted.digest:
        made = f"was made from {last.digest[:12]}" if last.digest else "does not say what it was made from"
        return (
            f"revision {last.revision} of release {wanted.release} {made}; chart, values, images and Secrets are now"
            f" {wanted.digest[:12]}"
        )
    return ""
