"""What a cleanup is about to take away, and what it leaves: said before anything is done, and again when it is done."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.actions.cluster import cleanup, foreign
from runbook.actions.web import hosts
from runbook.app.dapr import ownership as dapr_ownership
from runbook.clients.kube import workloads
from runbook.clients.kube.releases import are_ours, foreign_problem, revisions
from runbook.engine.errors import RunbookError
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.world import World

UNITS = ("B", "kB", "MB", "GB")
DU_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Prospect:
    """One line for each thing."""

    goes: tuple[str, ...]
    stays: tuple[str, ...]


def of_cleanup(world: World, *, unseen: bool = False, cache: bool = False) -> Prospect:
    """What `inv cleanup` is about to do. Changes nothing, and never raises `RunbookError`."""
    goes, stays = _in_cluster(world)
    cluster_goes, cluster_stays = _cluster(world, unseen)
    if hosts.present(world.settings):
        goes.append(f"our line in {hosts.HOSTS}")
    goes += cluster_goes
    goes += [f"state folder {world.settings.state}"] if world.settings.state.exists() else []
    kept = machine(world, cache=cache)
    goes += [f"{world.settings.cache} ({_size(world.settings.cache)})"] if cache else []
    return Prospect(tuple(goes), (*stays, *cluster_stays, *kept))


def of_cluster(world: World, *, unseen: bool = False) -> Prospect:
    """What `inv cluster.down` is about to do, as `of_cleanup`."""
    inside, _ = _in_cluster(world)
    goes, stays = _cluster(world, unseen)
    kept = [f"our line in {hosts.HOSTS} (inv cleanup removes it)"] if hosts.present(world.settings) else []
    return Prospect((*goes, *inside) if goes else (), (*stays, *kept, *machine(world)))


def _in_cluster(world: World) -> tuple[list[str], list[str]]:
    settings, goes, stays = world.settings, [], []
    try:
        if not world.cluster.status().running:
            return [], []
        kept = revisions(world.api, settings.release, settings.namespace)
        if are_ours(settings, kept):
            goes.append(f"release {settings.release} in namespace {settings.namespace}")
        elif problem := foreign_problem(settings, kept, settings.namespace):
            stays.append(problem)
        if parts := dapr_ownership.left(world):
            goes.append(f"Dapr: {', '.join(parts)}")
        for each in world.api.list("Namespace"):
            if installation.owns(settings, each):
                name = workloads.name(each)
                others = foreign.in_namespace(world, name)
                told = f"namespace {name}{_volumes(world, name)}"
                (stays if others else goes).append(f"{told}; {', '.join(others)}" if others else told)
        stays += [f"{each} (not ours)" for each in dapr_ownership.foreign(world)]
        stays += [f"namespace {each} (not ours)" for each in foreign.namespaces(world)]
    except RunbookError as problem:
        stays.append(f"what is in the cluster: it cannot be looked at ({problem.observed})")
    return goes, list(dict.fromkeys(stays))


def _volumes(world: World, namespace: str) -> str:
    """The data that goes with a namespace."""
    claims = [
        f"{workloads.name(each)} of {each['spec']['resources']['requests']['storage']}"
        for each in world.api.list("PersistentVolumeClaim", namespace)
    ]
    return f" with its data: volume {', '.join(claims)}" if claims else ""


def _cluster(world: World, unseen: bool) -> tuple[list[str], list[str]]:
    name = f"cluster {world.cluster.name} ({world.cluster.provider})"
    try:
        refusal = cleanup.cluster_refusal(world, unseen=unseen)
        status = world.cluster.status()
        there = status.running or bool(status.parts)
    except RunbookError as problem:
        return [], [f"{name}: it cannot be looked at ({problem.observed})"]
    if refusal is not None:
        return [], [refusal.observed]
    seen = "with all that is in it" if status.running else f"unseen: {status.detail}"
    return ([f"{name}, {seen}"] if there else []), []


def machine(world: World, *, cache: bool = False) -> list[str]:
    """What stays on this machine after any cleanup, by name and size."""
    settings = world.settings
    found = []
    if not cache and settings.cache.is_dir():
        parts = ", ".join(
            f"{each.name} {_size(each)}" for each in sorted(settings.cache.iterdir()) if each.is_dir()
        )
        found.append(f"the cache {settings.cache}: {parts} (inv cleanup --cache removes it)")
    shared = settings.cache.parent / "uv"
    if shared.is_dir():
        found.append(
            f"uv's own cache {shared}: {_size(shared)}, which other projects use as well (uv cache clean)"
        )
    if packages := _packages(world):
        found.append(packages)
    if images := _images(world):
        found.append(images)
    return found


def _packages(world: World) -> str:
    """Debian packages that the embedded node wants and that are there: apt, or their user, removes them."""
    if world.cluster.provider != "embedded" or shutil.which("dpkg-query") is None:
        return ""
    from runbook.cluster.embedded.packages import PACKAGES

    asked = ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package} ${Installed-Size}\n"]
    done = subprocess.run(
        [*asked, *(each.name for each in PACKAGES)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    there = {words[1]: int(words[2]) for words in lines if len(words) == 3 and words[0] == "installed"}
    if not there:
        return ""
    size = _words(sum(there.values()) * 1024)
    return (
        f"Debian packages that inv setup installs where they are missing: {', '.join(sorted(there))} ({size})"
    )


def _images(world: World) -> str:
    """Our images in a Docker daemon that is the user's own."""
    try:
        held = world.docker.in_users_own(installation.LABEL)
    except RunbookError:
        return ""
    if not held:
        return ""
    return f"images in your Docker: {', '.join(f'{name} {size}' for name, size in sorted(held.items()))}"


@functools.cache
def _size(path: Path) -> str:
    """What a folder takes on the disk; asked once in a run, before and after a cleanup it is the same."""
    argv = [
        "du",
        "-skx",
        str(path),
    ]  # not by a walk of ours: a build engine holds hundreds of thousands of files
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=DU_SECONDS)
        return _words(int(done.stdout.split()[0]) * 1024)
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return "of unknown size"


def _words(size: float) -> str:
    for unit in UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} {UNITS[-1]}"
