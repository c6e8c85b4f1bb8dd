"""The scripts at work, on a cluster of their own that begins with nothing: set up, built, deployed, cleaned up.

Each is a drill of the one before it; whichever fails takes the scratch cluster away, and so does the last one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from runbook.app import image_specs as sources
from runbook.checks.cluster import node
from runbook.checks.dapr import control_plane
from runbook.checks.images import images
from runbook.checks.web import host
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.step import Check, Outcome, Status, failed, passed
from runbook.probes.scratch import Scratch

if TYPE_CHECKING:
    from runbook.clients.process.commands import CommandResult
    from runbook.world import World

SOURCES = ("scripts/*.sh", "tasks.py", "runbook/**/*", "charts/**/*", "k8s/*", "pyproject.toml", "uv.lock")
SERVICES = ("backend", "frontend", "mcp-server", "stand-ins")
NOT_SOURCES = frozenset(
    {"node_modules", ".venv", ".next", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)
LAST_WORDS = 3


def _tidy(look: Callable[[Scratch], Outcome]) -> Check:
    """What is not green leaves no cluster behind."""

    @wraps(look)
    def check(world: World) -> Outcome:
        scratch = Scratch.beside(world)
        green = False
        try:
            outcome = look(scratch)
            green = outcome.green
        finally:
            if not green:
                scratch.clean()
        return outcome

    return check


@_tidy
def sets_up(scratch: Scratch) -> Outcome:
    """setup-minikube.sh on nothing: a Ready node, an ingress, a name, and Dapr; a second time changes nothing of it.

    Source: T126.
    """
    wanted = "a Ready node, an ingress that answers to its name, and Dapr's control plane, from nothing"
    if scratch.left():
        scratch.clean()
    for _ in range(2):
        done = scratch.run("setup-minikube.sh")
        if done.code:
            return _broken("setup-minikube.sh", done, wanted)
    found = [look(scratch.world) for look in (node.ready, node.ingress, host.resolves, control_plane.ready)]
    if red := [each for each in found if not each.green]:
        return red[0]
    return passed("; ".join(each.observed for each in found), wanted=wanted)


@_tidy
def builds(scratch: Scratch) -> Outcome:
    """build-images.sh: that node holds the very images that were built. Source: T127."""
    wanted = "the images of these sources in the new node"
    looking = images.held_by_node(*sources.APPLICATION)
    scratch.have()
    before = _looked(looking, scratch.world)
    if before.green:
        raise Unmeasurable("the node holds the images already", wanted="a node without them")
    done = scratch.run("build-images.sh")
    if done.code:
        return _broken("build-images.sh", done, wanted)
    scratch.world.clients.memory.forget()
    return looking(scratch.world)


@_tidy
def deploys(scratch: Scratch) -> Outcome:
    """deploy.sh, from no namespace to every step proven. Source: T128."""
    wanted = "every step of the deployment passed, on a cluster that had no namespace for it"
    space = scratch.world.settings.namespace
    scratch.have()
    if scratch.world.api.get("Namespace", space) is not None:
        raise Unmeasurable(f"namespace {space} is there already", wanted="a cluster without it")
    done = scratch.run("deploy.sh", "--json")
    try:
        steps: list[Mapping[str, Any]] = json.loads(done.stdout)["steps"]
    except (ValueError, KeyError, TypeError):
        return _broken("deploy.sh", done, wanted)
    red = [
        f"{each['id']} {each['status']}: {each['observed']}" for each in steps if each["status"] != "passed"
    ]
    if red or done.code or not steps:
        return failed(
            "; ".join(red[:LAST_WORDS]) or f"it ended with {done.code}", wanted=wanted, hint="inv deploy"
        )
    return passed(f"{len(steps)} of {len(steps)} steps passed on a new cluster", wanted=wanted)


@_tidy
def cleans_up(scratch: Scratch) -> Outcome:
    """cleanup.sh: nothing is left of a cluster that ran; a second time is fine. Source: T129, D-45."""
    wanted = "no cluster, no name, no files of the scratch cluster; and again"
    scratch.have()
    if not (before := scratch.left()):
        raise Unmeasurable("there is nothing to clean up", wanted="a cluster that runs")
    for _ in range(2):
        done = scratch.run("cleanup.sh", "--yes")
        if done.code:
            return _broken("cleanup.sh", done, wanted)
        if left := scratch.left():
            return failed(f"still there: {', '.join(left)}", wanted=wanted, hint="inv cleanup")
    return passed(f"gone: {', '.join(before)}", wanted=wanted)


def fingerprint(world: World) -> str:
    """Of all that the scripts run and build, and where: a proof is carried as long as that is the same."""
    root = world.settings.project
    patterns = (*SOURCES, *(f"{name}/**/*" for name in SERVICES))
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    files = sorted(path for path in found if not NOT_SOURCES.intersection(path.relative_to(root).parts))
    whole = hashlib.sha256(world.cluster.provider.encode())
    for path in files:
        whole.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return whole.hexdigest()[:16]


def _looked(check: Check, world: World) -> Outcome:
    """What a check says where it may find nothing to look at."""
    try:
        return check(world)
    except RunbookError as problem:
        return Outcome(Status.UNPROVEN, problem.observed, problem.wanted, problem.hint)


def _broken(script: str, done: CommandResult, wanted: str) -> Outcome:
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return failed(
        f"{script} ended with {done.code}: {' | '.join(lines[-LAST_WORDS:])}",
        wanted=wanted,
        hint=f"scripts/{script}",
    )
