"""What an image should be made from on this machine: its bases and the digest of its sources. Asks, changes nothing.

Checks and actions compute it alike, so that "built from these very sources" is one comparison.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from runbook.app.image_specs import PYTHON, Base, Image, source_digest
from runbook.engine import state_file
from runbook.engine.errors import CommandMissing, RunbookError, TimedOut

if TYPE_CHECKING:
    from runbook.world import World

ASK_SECONDS = 15.0
REMEMBERED_SECONDS = 6 * 3600.0


def stands_in(world: World) -> bool:
    """Whether stand-in bases take the place of the official ones: no image registry answers, or settings say so."""
    if world.settings.bases != "auto":
        return world.settings.bases == "stand-in"
    return not _registry_answers(world)


def base_references(world: World, bases: Iterable[Base]) -> dict[str, str]:
    """Build argument -> reference of the base image."""
    stand_ins = stands_in(world)
    return {base.argument: base.stand_in if stand_ins else base.official for base in bases}


def wanted_digest(world: World, image: Image) -> str:
    """The digest that the image's label carries when it is made from today's sources and bases.

    An official base counts by its pinned name; a stand-in, which was made here, by its image id.
    """
    arguments = base_references(world, image.bases)
    identities = dict(arguments)
    if stands_in(world):
        for name, reference in arguments.items():
            found = world.docker.image(reference)
            identities[f"{name} id"] = found.id if found else "not there"
    return source_digest(world.settings.project / image.context, identities)


def _registry_answers(world: World) -> bool:
    """Asked once with a short deadline, then remembered for some hours in the cache."""
    memory = world.settings.cache / "registry.json"
    try:
        remembered = state_file.read_json(memory) or {}
        if 0 <= time.time() - float(remembered["asked"]) < REMEMBERED_SECONDS:
            return bool(remembered["answers"])
    except (RunbookError, ValueError, KeyError, TypeError):
        pass  # asked never, or written by another version: ask
    question = ["docker", "buildx", "imagetools", "inspect", PYTHON.official]
    try:
        answer = world.commands.run(
            question, timeout=ASK_SECONDS, env=world.cluster.docker_environment(), check=False
        )
        answers = answer.code == 0
    except TimedOut:
        answers = False
    except CommandMissing:
        return False
    state_file.write_json(memory, {"answers": answers, "asked": time.time()})
    return answers
