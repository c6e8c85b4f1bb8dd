"""The live release upgraded: another tag reaches the pods, a broken revision takes itself back, and nobody notices.

Each is a drill: values of its own over those of the release, no file edited, and in the end all is as it was (D-36).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND, COMPONENTS, MCP_SERVER
from runbook.clients.kube.releases import Revision, newest
from runbook.engine.errors import CommandFailed, RunbookError
from runbook.engine.step import Outcome, failed, passed
from runbook.engine.waiting import Hopeless
from runbook.probes import upgrading
from runbook.probes.upgrading import Start
from runbook.probes.users import watched

if TYPE_CHECKING:
    from runbook.world import World

Overrides = dict[str, Any]

UNREADY: Overrides = {
    MCP_SERVER.name: {"probes": {"liveness": "/health", "readiness": "/nowhere"}},
    # Without its Job, so that nothing but these pods is waited for.
    BACKEND.name: {"migrations": {"enabled": False}},
}
NO_IMAGE: Overrides = {MCP_SERVER.name: {"image": {"repository": "todo-no-such-image"}}}


def fingerprint(world: World) -> str:
    """What these drills stand on: chart, values, images and Secrets of the deployed release, in this very namespace.

    Neither pods nor the number of the revision: the drills make new ones, and come back to the same.
    """
    settings = world.settings
    last = newest(world.api, settings.release, settings.namespace)
    space = world.api.get("Namespace", settings.namespace)
    if last is None or last.status != "deployed" or not last.digest or space is None:
        return ""
    return hashlib.sha256(f"{space['metadata']['uid']} {last.digest}".encode()).hexdigest()


def tag_reaches_the_pods(world: World) -> Outcome:
    """With another tag in the values every pod runs the image of that tag; with the old one, the old image again.

    By identity: the images of the other tag have ids of their own. Meanwhile no request fails.

    Source: T101, D-36.
    """
    wanted = "every pod runs the image of the other tag, then of the old one; no request fails"
    hint = f"helm history {world.settings.release} --namespace {world.settings.namespace}"
    world.api.guard()
    began = time.monotonic()
    with upgrading.other_images(world) as (tag, ids), watched(world) as load:
        with upgrading.restored(world) as start:
            world.progress(f"upgrading to tag {tag}")
            upgrading.roll_out(world, start, upgrading.with_tag(tag, ids, world))
            there = upgrading.running(world)
        problems = start.differences(world)
    for component in COMPONENTS:
        expected = {(f"{component.image}:{tag}", ids[component.name])}
        found = upgrading.images(there).get(component.name, set())
        before = {image_id for _, image_id in upgrading.images(start.pods).get(component.name, set())}
        if found != expected:
            problems.append(f"{component.name} ran {_shown(found)}, not {_shown(expected)}")
        if ids[component.name] in before:
            problems.append(f"the image of {component.name} was the same one before")
    kept = {each.pod for each in there} & {each.pod for each in start.pods}
    if kept:
        problems.append(f"{len(kept)} pods were not replaced")
    problems += load.problems()
    if problems:
        return failed(
            "; ".join(problems), wanted=wanted, hint=hint, failures=list(map(str, load.failures[:10]))
        )
    return passed(
        f"{len(there)} pods ran tag {tag} by image id, and run {world.settings.tag} again, after"
        f" {time.monotonic() - began:.0f} s; {load}",
        wanted=wanted,
        requests=load.made,
    )


def broken_rolls_back(world: World) -> Outcome:
    """Two broken upgrades fail and take themselves back; the pods stay, no request fails, the next upgrade works.

    One by Helm's own flag, whose pods are never ready: its history says `failed`. One as `inv deploy` does it, whose
    image is not there: given up as soon as it is hopeless, and evidence is gathered before the rollback. To Helm, which
    does not wait there, that revision was deployed: `superseded` in its history.

    Source: T102, D-18, D-34.
    """
    wanted = "both upgrades fail, the revision before is back, its pods were never touched; no request fails"
    settings = world.settings
    hint = f"helm history {settings.release} --namespace {settings.namespace}"
    world.api.guard()
    with watched(world) as load, upgrading.restored(world) as start:
        problems = _broken(world, start, UNREADY, CommandFailed, "failed")
        problems = problems or _broken(world, start, NO_IMAGE, Hopeless, "superseded")
        if not problems:
            world.progress("a good upgrade after the broken ones")
            upgrading.again(world, start.wanted)
            problems = start.differences(world)
            if upgrading.running(world) != start.pods:
                problems.append("pods were replaced although none had to be")
    problems += load.problems()
    if problems:
        return failed(
            "; ".join(problems), wanted=wanted, hint=hint, failures=list(map(str, load.failures[:10]))
        )
    count = len(upgrading.since(world, start))
    return passed(
        f"pods that are never ready: taken back by Helm after {upgrading.DEADLINE:g} s; an image that is not there: by"
        f" the runbook, with evidence; {count} revisions later the same {len(start.pods)} pods run; {load}",
        wanted=wanted,
        requests=load.made,
    )


def _broken(
    world: World, start: Start, overrides: Overrides, expected: type[RunbookError], status: str
) -> list[str]:
    """What is wrong with the way in which one broken upgrade went."""
    seen = upgrading.attempt(world, start, overrides, by_helm=expected is CommandFailed)
    problems = []
    if seen.error is None:
        problems.append("a broken upgrade ended as if it were good")
    elif not isinstance(seen.error, expected):
        problems.append(f"it ended otherwise: {seen.error.observed}")
    problems += _history(seen.made, status, start.revision)
    if expected is Hopeless and not seen.evidence:
        problems.append("no evidence was kept")
    if not problems and seen.pods != start.pods:
        problems.append("the pods are not the ones from before")
    return problems


def _history(made: Sequence[Revision], status: str, start: Revision) -> list[str]:
    """The broken revision, and the one that took it back to the manifest from before."""
    if len(made) != 2:
        return [f"it made {len(made)} revisions, not the broken one and the one that takes it back"]
    broken, back = made
    problems = []
    if broken.status != status:
        problems.append(f"the broken revision {broken.revision} is {broken.status}, not {status}")
    if back.status != "deployed" or not back.description().startswith("Rollback to "):
        problems.append(f"revision {back.revision} is {back.status}: {back.description()}")
    if back.manifest() != start.manifest():
        problems.append(f"revision {back.revision} is not what was there before")
    return problems


def _shown(images: set[tuple[str, str]]) -> str:
    return ", ".join(f"{image} ({image_id[:19]})" for image, image_id in sorted(images)) or "nothing"
