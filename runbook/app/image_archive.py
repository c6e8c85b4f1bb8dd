"""An image as `docker image save` writes it: its history, its configuration, and the files of each layer.

Read without starting anything: what a layer once held is found even where a later one removes it.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.engine.errors import Unmeasurable

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, link or folder of a layer; `path` has no leading slash, `mode` has the permission bits."""

    path: str
    mode: int
    size: int
    is_file: bool
    target: str = ""
    """Where a symbolic link points."""


@dataclass(frozen=True, slots=True)
class SavedImage:
    """`layers` are names inside the archive, oldest first; images on one base share theirs."""

    references: tuple[str, ...]
    configuration: Mapping[str, Any]
    layers: tuple[str, ...]

    @property
    def written(self) -> tuple[str, ...]:
        """What people wrote into it: the instructions of its history, its environment, its labels."""
        config = self.configuration.get("config") or {}
        history = [str(each.get("created_by", "")) for each in self.configuration.get("history") or []]
        labels = [f"{key}={value}" for key, value in (config.get("Labels") or {}).items()]
        return (*history, *(config.get("Env") or []), *labels)


Content = Callable[[], bytes]


class Archive:
    """Opened with `with`. Raises `Unmeasurable` for a file that is no such archive."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Archive:
        try:
            self._tar = tarfile.open(self._path)
        except (OSError, tarfile.TarError) as error:
            raise Unmeasurable(f"{self._path} is not an image archive: {error}", hint="inv build") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def images(self) -> list[SavedImage]:
        return [
            SavedImage(
                tuple(each.get("RepoTags") or ()),
                json.loads(self._read(each["Config"])),
                tuple(each["Layers"]),
            )
            for each in json.loads(self._read("manifest.json"))
        ]

    def entries(self, layer: str) -> Iterator[tuple[Entry, Content]]:
        """Each entry of a layer, and a way to its bytes that holds until the next one."""
        opened = self._tar.extractfile(layer)
        if opened is None:
            raise Unmeasurable(f"the archive holds no {layer}", hint="inv build")
        with opened, tarfile.open(fileobj=opened, mode="r:*") as files:
            for member in files:
                entry = Entry(
                    member.name.removeprefix("./").strip("/"),
                    member.mode,
                    member.size,
                    member.isreg(),
                    member.linkname if member.issym() else "",
                )
                yield entry, _content(files, member)

    def _read(self, name: str) -> bytes:
        opened = self._tar.extractfile(name)
        if opened is None:
            raise Unmeasurable(f"the archive holds no {name}", hint="inv build")
        return opened.read()


def _content(files: tarfile.TarFile, member: tarfile.TarInfo) -> Content:
    def read() -> bytes:
        opened = files.extractfile(member) if member.isreg() else None
        return opened.read() if opened else b""

    return read


def merged(layers: list[list[Entry]]) -> dict[str, Entry]:
    """What a container sees of the layers, oldest first: later ones replace and remove."""
    seen: dict[str, Entry] = {}
    for layer in layers:
        for entry in layer:
            folder, _, name = entry.path.rpartition("/")
            if name == OPAQUE:
                _remove(seen, f"{folder}/", "")
            elif name.startswith(WHITEOUT):
                gone = "/".join(filter(None, (folder, name.removeprefix(WHITEOUT))))
                _remove(seen, f"{gone}/", gone)
        seen.update(
            (entry.path, entry) for entry in layer if not entry.path.rpartition("/")[2].startswith(WHITEOUT)
        )
    return seen


def _remove(seen: dict[str, Entry], below: str, itself: str) -> None:
    for path in [path for path in seen if path == itself or path.startswith(below)]:
        del seen[path]
