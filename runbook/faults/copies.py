"""Faults in a copy: the project's files, the programs and the images that steps ask, changed where nobody works.

A copy lies in a folder of the cluster's state, with tags of its own for images; what a killed run left of both is
removed by the next one. The project itself, the programs of this machine and the images in use are never touched.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.app.image_specs import APPLICATION, Image
from runbook.clients.process.ending import undisturbed
from runbook.engine import state_file
from runbook.engine.errors import CommandMissing, RunbookError, Unmeasurable
from runbook.engine.settings import Settings
from runbook.faults import Mutant
from runbook.world import World

if TYPE_CHECKING:
    from runbook.faults.planting import Hands

FOLDER = "copies"
IMAGES = "images.json"
"""Reference -> id of what was tagged for a fault: a reference that means another image by now is left alone."""

TAG = "planted"
ASK = 60.0
NOT_COPIED = frozenset({".git", ".venv", ".next", "__pycache__", "node_modules"})
NOT_ASKED = frozenset({"bench", "docs", "tests"})
"""Folders of the project of which no step asks."""
BLOCK = 1_000_000
PROGRAMS = frozenset({"dapr", "helm", "kind", "kubectl", "minikube"})
"""What a machine without tools has not."""


class _Bare(Settings):
    """The same settings, but for an empty cache: no program of our own is built."""

    @property
    def cache(self) -> Path:
        return self.project.parent / "cache"


@dataclass
class Copy:
    """One copy of the project, and the world that asks it."""

    root: Path
    world: World
    tools: dict[str, Path] = field(default_factory=dict)
    """Programs that others take the place of, by name."""

    def edit(self, path: str, old: str, new: str) -> None:
        """Raises `Unmeasurable` where the file says something else by now: then nothing is planted."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        if old not in text:
            raise Unmeasurable(f"{path} does not contain {old!r}", wanted="a place to plant the fault at")
        file.write_text(text.replace(old, new), encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def remove(self, path: str) -> None:
        """A file, or a folder with all that is in it. Raises `Unmeasurable` where it is not there."""
        there = self.root / path
        if not there.exists():
            raise Unmeasurable(f"there is no {path} to remove", wanted="a place to plant the fault at")
        if there.is_dir():
            shutil.rmtree(there)
        else:
            there.unlink()

    def instead(self, name: str, script: str) -> None:
        """This shell script takes the place of a program of that name."""
        if not self.tools:
            vars(self.world.clients)["commands"] = _Substituted(self.world.commands, self.tools)
        self.write(f"planted/{name}", f"#!/bin/sh\n{script}\n")
        self.tools[name] = self.root / "planted" / name
        self.tools[name].chmod(0o755)

    def without_tools(self) -> None:
        """No program of our own is built, and none of these is on PATH; the build engine goes on."""
        cluster = self.world.cluster
        settings = _Bare(**{name: getattr(self.world.settings, name) for name in Settings.model_fields})
        self.world = World.of(settings)
        vars(self.world.clients).update(
            cluster=cluster, commands=_Substituted(self.world.commands, self.tools, hidden=True)
        )

    def answering(self, client: str, **answers: Any) -> None:
        """A client of this world gives these answers, and all others as before."""
        vars(self.world.clients)[client] = _Instead(getattr(self.world, client), answers)

    def retag(self, image: Image, other: Image) -> None:
        """The image's name, under the tag of this copy, means the other image."""
        source = other.reference(self.world.settings.tag)
        self._tagged(source, self._own_tag(image))

    def fill(self, image: Image, megabytes: int) -> None:
        """The image's name, under the tag of this copy, means one of that size."""
        path = self.root / "planted" / "filling.tar"
        path.parent.mkdir(exist_ok=True)
        with tarfile.open(path, mode="w") as tar, Path("/dev/zero").open("rb") as zeros:
            entry = tarfile.TarInfo("filling")
            entry.size = megabytes * BLOCK
            tar.addfile(entry, zeros)
        reference = self._own_tag(image)
        found = self.world.docker.client.image.import_(str(path), tag=reference)
        self._note(reference, found.id)

    def commit(self) -> None:
        """Put it under version control as it is."""
        identity = ("-c", "user.name=copy", "-c", "user.email=copy@example.invalid")
        for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "Copy")):
            self.world.commands.run(["git", "-C", self.root, *words], timeout=ASK)

    def _own_tag(self, image: Image) -> str:
        """The image's name under a tag of this copy, which steps ask for from now on; the others are there as well."""
        tag = self.world.settings.tag
        if not tag.endswith(TAG):
            own = World.of(self.world.settings.model_copy(update={"tag": f"{tag}-{TAG}"}))
            for each in APPLICATION:
                self._tagged(each.reference(tag), each.reference(own.settings.tag))
            self.world = own
        return image.reference(self.world.settings.tag)

    def _tagged(self, source: str, reference: str) -> None:
        facts = self.world.docker.image(source)
        if facts is None:
            raise Unmeasurable(
                f"the build engine holds no {source}", wanted="a built image", hint="inv build"
            )
        self._note(reference, facts.id)
        self.world.docker.client.image.tag(source, reference)

    def _note(self, reference: str, identity: str) -> None:
        noted = self.root.parent / IMAGES
        known = state_file.read_json(noted) or {}
        state_file.write_json(noted, {**known, reference: identity})


@dataclass(frozen=True)
class _Instead:
    """A client of which some answers are others."""

    real: Any
    answers: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.answers[name] if name in self.answers else getattr(self.real, name)


@dataclass(frozen=True)
class _Substituted:
    """Commands, some of which are other programs; `hidden`: no other is found on PATH."""

    real: Any
    tools: Mapping[str, Path]
    hidden: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def find(self, name: str) -> Path | None:
        found: Path | None = self.tools.get(name) or (None if self.hidden else self.real.find(name))
        return found

    def run(self, argv: Any, **more: Any) -> Any:
        name, *arguments = argv
        if self.hidden and name in PROGRAMS:
            raise CommandMissing(
                f"the command {name} is not there", wanted=f"{name} installed", hint="inv setup"
            )
        return self.real.run([self.tools.get(str(name), name), *arguments], **more)


def in_copy(
    name: str, reds: str, change: Callable[[Copy], None], cause: str, *, patience: float = 20.0
) -> Mutant:
    """A fault in a copy, which turns these steps red ("T009 T016") and no others of those that ask files."""

    def elsewhere(world: World) -> Any:
        return copied(world, change)

    return Mutant(
        name, frozenset(reds.split()), _untouched, cause=cause, elsewhere=elsewhere, patience=patience
    )


def edited(name: str, reds: str, path: str, old: str, new: str, cause: str) -> Mutant:
    """One place of one file says something else."""
    return in_copy(name, reds, lambda copy: copy.edit(path, old, new), cause)


@contextmanager
def copied(world: World, change: Callable[[Copy], None]) -> Iterator[World]:
    """The world of a copy with that change; gone afterwards."""
    swept(world)
    home = world.settings.state / FOLDER
    root = home / "project"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _copy(world.settings.project, root)
        copy = Copy(root, World.of(world.settings.model_copy(update={"project": root})))
        change(copy)
        yield copy.world
    finally:
        with undisturbed():
            swept(world)


def swept(world: World) -> bool:
    """Remove the copy, and the tags that were made for it; whether there was one."""
    home = world.settings.state / FOLDER
    if not home.exists():
        return False
    for reference, identity in (state_file.read_json(home / IMAGES) or {}).items():
        there = world.docker.image(reference)
        if there is not None and there.id == identity:
            world.docker.client.image.remove(reference, force=True)
    shutil.rmtree(home)
    return True


def _copy(project: Path, root: Path) -> None:
    """All but what is installed, built or tried there; a script of the copy makes a virtual environment of its own."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        unasked = NOT_ASKED if Path(folder) == project else frozenset[str]()
        return {name for name in names if name in NOT_COPIED | unasked or name.endswith("_cache")}

    try:
        shutil.copytree(project, root, ignore=left_out, symlinks=True)
    except (OSError, shutil.Error) as problem:
        raise RunbookError(f"{project} cannot be copied: {problem}", wanted="a copy to plant in") from None


def _untouched(_: Hands) -> None:
    """What is planted in a copy changes nothing here."""


def json_of(**fields: Any) -> str:
    """A shell command that prints these fields as JSON."""
    return f"cat <<'END'\n{json.dumps(fields)}\nEND"
