"""Make the stand-in base images where no image registry answers, from Debian and npm packages. Each is made once."""

from __future__ import annotations

import fcntl
import hashlib
import platform
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.actions.images.build_secrets import build_secrets
from runbook.app.image_specs import DATABASE, NODE, PYTHON, STATE, UV, Base
from runbook.app.provenance import base_references, stands_in
from runbook.cluster.embedded.execution import follow, output
from runbook.engine.errors import CommandMissing, RunbookError

if TYPE_CHECKING:
    from runbook.world import World

KEY = "todo.runbook/base"
"""Label of a stand-in base: the digest of the recipe that it was made by."""

RECIPE = "stand-ins/bases"
TARGETS = {PYTHON: "python", NODE: "node", DATABASE: "postgres", STATE: "redis", UV: "uv"}
INGREDIENTS: dict[Base, tuple[str, ...]] = {
    PYTHON: ("Dockerfile", "apt.conf"),
    NODE: ("Dockerfile", "apt.conf", "gather.sh", "node/package.json", "node/package-lock.json"),
    DATABASE: ("Dockerfile", "apt.conf", "gather.sh"),
    STATE: ("redis.Dockerfile", "apt.conf", "gather.sh"),
    UV: ("Dockerfile",),
}
"""Files of the recipe that a base is made by, its Dockerfile first; a change of one of them makes it anew."""
ON_DEBIAN = (PYTHON, NODE, DATABASE, STATE)
SUITE = "trixie"
MINUTE = 60.0

LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
    "/usr/share/lintian/*",
)


def ensure(world: World, bases: Iterable[Base]) -> dict[str, str]:
    """Have the bases that this machine builds on (official ones come by themselves); build argument -> reference."""
    bases = tuple(bases)
    if stands_in(world):
        for base in bases:
            _ensure(world, base)
    return base_references(world, bases)


def _ensure(world: World, base: Base) -> None:
    recipe = world.settings.project / RECIPE
    key = _key(recipe, base)
    with _alone(world, TARGETS[base]):
        found = world.docker.image(base.stand_in)
        if found is not None and found.labels.get(KEY) == key:
            return
        world.progress(f"stand-in base {base.stand_in}")
        context = world.settings.cache / "bases" / f"context-{TARGETS[base]}"
        shutil.rmtree(context, ignore_errors=True)
        shutil.copytree(recipe, context)
        _fill(world, base, context)
        with build_secrets() as secrets:
            world.docker.build(
                context,
                base.stand_in,
                file=context / INGREDIENTS[base][0],
                target=TARGETS[base],
                labels={KEY: key},
                secrets=secrets,
                progress=world.progress,
            )
        shutil.rmtree(context)


def _fill(world: World, base: Base, context: Path) -> None:
    """Bring what the recipe's Dockerfile takes from its context."""
    if base in ON_DEBIAN:
        archive = _debian(world)
        (context / "debian.tar").hardlink_to(archive)
    if base is NODE:
        world.progress(f"{base.stand_in}: npm packages")
        for name in ("package.json", "package-lock.json"):
            shutil.copy(context / "node" / name, context)
        command = ["npm", "ci", "--ignore-scripts", "--no-bin-links", "--no-audit", "--no-fund"]
        follow(command, lambda _: None, deadline=10 * MINUTE, directory=context, cancelled=world.stopping)
    if base is UV:
        shutil.copy(_uv(world), context / "uv")


def _debian(world: World) -> Path:
    """The archive of a minimal Debian, made once and shared by the bases."""
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--components=main", *options, SUITE]
    archive = world.settings.cache / "bases" / f"debian-{SUITE}-{_digest(command)}.tar"
    with _alone(world, "debian"):
        if archive.exists():
            return archive
        if shutil.which("mmdebstrap") is None:
            raise CommandMissing(
                "no image registry answers, and `mmdebstrap`, which makes stand-in bases, is not installed",
                hint="inv setup (or apt-get install mmdebstrap)",
            )
        unfinished = archive.with_suffix(".unfinished.tar")
        unfinished.unlink(missing_ok=True)

        def on_line(line: str) -> None:
            if line.startswith("I: "):
                world.progress(f"Debian {SUITE}: {line[3:]}")

        # Mounts and temporary files of its own: a run that is killed leaves none on the machine.
        drafts = archive.with_name("drafts")
        shutil.rmtree(drafts, ignore_errors=True)
        drafts.mkdir(parents=True)
        follow(
            ["unshare", "--mount", *command, str(unfinished)],
            on_line,
            deadline=30 * MINUTE,
            environment={"TMPDIR": str(drafts)},
            cancelled=world.stopping,
        )
        shutil.rmtree(drafts, ignore_errors=True)
        unfinished.rename(archive)
    return archive


def _uv(world: World) -> Path:
    """The program uv in its pinned version: the one that set this project up, else installed the same way."""
    requirements = world.settings.project / "scripts" / "uv-requirements.txt"
    pinned = re.search(r"^uv==(\S+)", requirements.read_text(), re.MULTILINE)
    version = pinned[1] if pinned else ""
    if f":{version}" not in UV.stand_in:
        raise RunbookError(
            f"{requirements.name} pins uv {version or 'not at all'}",
            wanted=f"the version of {UV.stand_in}",
            hint=f"edit {requirements} or runbook/app/image_specs.py",
        )
    home = world.settings.cache / "uv"
    program = home / "bin" / "uv"
    if not program.exists() or output([str(program), "--version"]).split()[1] != version:
        world.progress(f"{UV.stand_in}: Python package uv")
        output([sys.executable, "-m", "venv", "--clear", str(home)], deadline=2 * MINUTE)
        install = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements)]
        output([str(home / "bin" / "python"), *install], deadline=10 * MINUTE)
    return program


def _key(recipe: Path, base: Base) -> str:
    """Changes with the recipe, and with the processor that the base is for."""
    contents = [hashlib.sha256((recipe / name).read_bytes()).hexdigest() for name in INGREDIENTS[base]]
    return _digest([base.stand_in, platform.machine(), *LEFT_OUT, *contents])


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


@contextmanager
def _alone(world: World, name: str) -> Iterator[None]:
    """One maker at a time for each thing, among the threads of this run and among runs."""
    folder = world.settings.cache / "bases"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
