"""Credentials rotated under a user who goes on working: what the server, the user and the rows said of it."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runbook.actions.database import rotation
from runbook.probes import rows
from runbook.probes.conversation import remove_people
from runbook.probes.load import LoadResult
from runbook.probes.person import Person
from runbook.probes.users import working

if TYPE_CHECKING:
    from runbook.world import World


LATE = ("deadline exceeded", "Timeout")
"""In the words of a readiness probe that got no answer in time."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """`old`, `new`: the role of each key of the Secret."""

    resumed: bool
    """An earlier run began it."""
    new: Mapping[str, str]
    old: Mapping[str, str]
    old_urls: Mapping[str, str] = field(repr=False)
    """The credentials that went, by key of the Secret, as far as they were still known."""
    load: LoadResult
    rows_before: dict[str, str]
    rows_after: dict[str, str]
    newcomer_status: int
    """Of a chat message by somebody who signed up afterwards."""
    starved: tuple[str, ...]
    """Pods that the node was too busy to let answer in time."""
    left: str
    """What could not be removed; empty when nothing is left."""


def rotate(world: World) -> Rotated:
    """Take the services to new credentials while a user works; an interrupted rotation is resumed.

    The new credentials stay. Raises `Unmeasurable` for a database outside.
    """
    nonce = randomness.token_hex(4)
    since = datetime.now(UTC).replace(microsecond=0)
    turned = rotation.begin(world)
    old_urls = rotation.old_urls(world, turned)
    try:
        with Person(world) as person:
            rows.store(person, f"before the rotation {nonce}")
            before = rows.of_person(world, nonce)
            with working(person) as load:
                for stage in rotation.STAGES:
                    stage(world, turned)
            after = rows.of_person(world, nonce)
        with Person(world) as newcomer:
            status = newcomer.say("Add a task to buy medlars").status_code
    finally:
        left = remove_people(world)
    world.clients.memory.forget()
    busy = tuple(starved(world, since)) if load.failures else ()
    return Rotated(turned.resumed, turned.new, turned.old, old_urls, load, before, after, status, busy, left)


def starved(world: World, since: datetime) -> list[str]:
    """Pods whose readiness was asked in vain since then: the node was too busy for them to answer in time.

    A rollout keeps one pod Ready; a pod that loses its readiness meanwhile is not caused by the rollout.
    """
    return sorted(
        {
            str(event["involvedObject"].get("name"))
            for event in world.api.events(world.settings.namespace)
            if event.get("reason") == "Unhealthy"
            and str(event.get("message", "")).startswith("Readiness probe failed")
            and any(word in str(event.get("message", "")) for word in LATE)
            and datetime.fromisoformat(str(event.get("lastTimestamp") or event.get("eventTime"))) >= since
        }
    )
