"""The commands that the embedded cluster consists of, made on this machine and kept in the user's cache.

Each part lies in a folder of its own, named by its version, the digest of all that it is made from, and the Go release.
A part is made beside its final place and moved there when it is complete, so that an interrupted run leaves nothing
half done and the next one goes on where it ended.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from runbook.cluster.embedded import builds
from runbook.cluster.embedded.builds import CHART
from runbook.cluster.embedded.execution import heartbeat
from runbook.cluster.embedded.parts import PARTS, GoPart, Part
from runbook.engine.errors import CommandMissing, RunbookError, UsageError
from runbook.engine.settings import Settings

Progress = Callable[[str], None]

UNFINISHED = ".unfinished-"
SILENT = 5.0
"""Seconds without a word after which a download counts as done."""


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """What `install` would do about one part; `minutes` is what that usually takes, 0 where nothing is to be done."""

    name: str
    version: str
    commands: tuple[str, ...]
    installed: bool
    minutes: float


class Toolchain:
    """The table of parts on this machine: what is there, what is missing, and the way to make it."""

    def __init__(self, settings: Settings, parts: Sequence[Part] = PARTS) -> None:
        self._folder = settings.cache / "toolchain"
        self._parts = parts

    def binary(self, name: str) -> Path:
        """Where the command is; raises `CommandMissing` (try: inv setup) where it is not.

        A binary of many commands is also found by the name of its part, and takes the command as its first argument.
        """
        part = self._part_of(name)
        if not self._installed(part):
            raise CommandMissing(
                f"`{name}` ({part.name} {part.version}) is not installed",
                wanted=str(self._place(part) / name),
                hint="inv setup",
            )
        return self._place(part) / name

    def chart(self, name: str) -> Path:
        """The Helm chart that came with a part. Raises `CommandMissing` where the part is not installed."""
        return self.binary(name).parent / CHART

    def version(self, name: str) -> str:
        """The version of the part that a command belongs to, such as v1.35.4."""
        return self._part_of(name).version

    @property
    def docker_config(self) -> Path:
        """A folder for DOCKER_CONFIG in which the Docker client finds our buildx; `CommandMissing` without one."""
        folder = self._folder / "docker-config"
        plugin = folder / "cli-plugins" / "docker-buildx"
        target = self.binary("buildx")
        if not plugin.is_symlink() or plugin.readlink() != target:
            plugin.parent.mkdir(parents=True, exist_ok=True)
            fresh = plugin.with_name(f".docker-buildx.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(plugin)
        return folder

    def missing(self) -> tuple[str, ...]:
        """The names of the parts that are not installed, without the optional ones."""
        return tuple(part.name for part in self._chosen(None) if not self._installed(part))

    def plan(self, only: Iterable[str] | None = None) -> tuple[PlannedPart, ...]:
        """What is there and what `install` would make, in its order."""
        return tuple(
            PlannedPart(
                part.name,
                part.version,
                part.names,
                installed := self._installed(part),
                0.0 if installed else part.minutes,
            )
            for part in self._chosen(only)
        )

    def install(self, progress: Progress, only: Iterable[str] | None = None) -> tuple[str, ...]:
        """Make what is missing (of `only`: names of parts or commands); returns the names of what was made.

        Without `only`, optional parts are left out.

        Idempotent and resumable. Raises `RunbookError`: no Go, a Go that is too old, a build that failed.
        """
        chosen = self._chosen(only)
        if all(self._installed(part) for part in chosen):
            return ()
        self._make_folder()
        with self._alone(progress):
            to_make = [part for part in chosen if not self._installed(part)]
            builds.demand_go(to_make)
            with _fetching_ahead(to_make):
                for number, part in enumerate(to_make, start=1):
                    self._make(part, f"{part.name} {part.version} ({number} of {len(to_make)})", progress)
        return tuple(part.name for part in to_make)

    def _make(self, part: Part, title: str, progress: Progress) -> None:
        doing, since = "starting", time.monotonic()

        def say(now: str) -> None:
            nonlocal doing, since
            doing, since = now, time.monotonic()

        def tell(seconds: float) -> None:
            # While it compiles, the compiler says nothing: its last words are of the last download.
            if doing.startswith(builds.DOWNLOADING) and time.monotonic() - since > SILENT:
                say("compiling")
            progress(f"{title}: {doing}, {clock(seconds)} of usually {clock(part.minutes * 60)}")

        place = self._place(part)
        unfinished = self._folder / f"{UNFINISHED}{place.name}"
        unfinished.mkdir()
        try:
            with heartbeat(tell):
                builds.make(part, unfinished, say)
            if place.exists():
                shutil.rmtree(place)
            unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunbookError(
                f"the cache folder {self._folder} cannot be made: {error.strerror}",
                wanted="a folder that we may write to",
                hint="set XDG_CACHE_HOME to one",
            ) from error

    @contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        """One installation at a time per cache; what a killed one left behind is removed."""
        with (self._folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("waiting for another run that installs the toolchain")
                fcntl.flock(lock, fcntl.LOCK_EX)
            for left in self._folder.glob(f"{UNFINISHED}*"):
                shutil.rmtree(left, ignore_errors=True)
            yield

    def _place(self, part: Part) -> Path:
        stem = f"{part.name}-{part.version}-{part.digest}"
        if not isinstance(part, GoPart):
            return self._folder / stem
        if version := builds.go_version():
            return self._folder / f"{stem}-{version}"
        # Without a Go nothing can be made, but what was made before its removal still serves.
        made = sorted(self._folder.glob(f"{stem}-go*"))
        return made[-1] if made else self._folder / f"{stem}-go"

    def _installed(self, part: Part) -> bool:
        place = self._place(part)
        return all(os.access(place / name, os.X_OK) for name in part.names)

    def _part_of(self, name: str) -> Part:
        for part in self._parts:
            if name == part.name or name in part.names:
                return part
        known = ", ".join(name for part in self._parts for name in part.names)
        raise UsageError(f"the toolchain has no command `{name}`", wanted=f"one of {known}")

    def _chosen(self, only: Iterable[str] | None) -> tuple[Part, ...]:
        if only is None:
            return tuple(part for part in self._parts if not part.optional)
        wanted = {self._part_of(name).name for name in only}
        return tuple(part for part in self._parts if part.name in wanted)


@contextmanager
def _fetching_ahead(parts: Sequence[Part]) -> Iterator[None]:
    """While one part compiles, the modules of the next ones are downloaded."""
    ended = threading.Event()

    def fetch() -> None:
        for part in parts[1:]:
            if isinstance(part, GoPart) and not ended.is_set():
                with suppress(RunbookError):
                    builds.fetch_modules(part, ended)

    thread = threading.Thread(target=fetch, name="modules", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
