"""Images made of files, as archives that `docker load` and kind's node image builder take; no base, no registry."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.field.engine import FieldEngine

Content = Path | str | None
"""A file of the machine, the target of a link, or None for a folder."""

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BEGINNING = "1970-01-01T00:00:00Z"


def layer(files: Mapping[str, Content]) -> bytes:
    """A layer with these paths; folders on the way to them come along."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        folders = {str(parent) for path in files for parent in Path(path).parents} - {"."}
        folders |= {path for path, content in files.items() if content is None}
        for path in sorted(folders):
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if path == "tmp" else 0o755
            archive.addfile(entry)
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            if isinstance(content, Path):
                entry.size, entry.mode = content.stat().st_size, 0o755
                with content.open("rb") as file:
                    archive.addfile(entry, file)
            elif content is not None:
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
    return out.getvalue()


@dataclass(frozen=True)
class ArchivedImage:
    """`config` is added to the image's configuration as Docker names its fields."""

    name: str
    layers: Sequence[bytes]
    entrypoint: Sequence[str] = ()
    config: Mapping[str, object] = field(default_factory=dict)


def save(target: Path, images: Sequence[ArchivedImage]) -> None:
    """`repositories` comes first: kind reads the names of all images from it, and of manifest.json only the first."""
    blobs: dict[str, bytes] = {}
    manifest, repositories = [], dict[str, dict[str, str]]()
    for image in images:
        layers = [hashlib.sha256(content).hexdigest() for content in image.layers]
        blobs |= {
            f"{digest}/layer.tar": content for digest, content in zip(layers, image.layers, strict=True)
        }
        configuration = json.dumps(_configuration(image, layers), sort_keys=True).encode()
        name = f"{hashlib.sha256(configuration).hexdigest()}.json"
        blobs[name] = configuration
        paths = [f"{digest}/layer.tar" for digest in layers]
        manifest.append({"Config": name, "RepoTags": [image.name], "Layers": paths})
        repository, _, tag = image.name.rpartition(":")
        repositories.setdefault(repository, {})[tag] = layers[-1]
    with tarfile.open(target, "w") as archive:
        _add(archive, "repositories", json.dumps(repositories).encode())
        _add(archive, "manifest.json", json.dumps(manifest).encode())
        for path, content in blobs.items():
            _add(archive, path, content)


def _configuration(image: ArchivedImage, layers: Sequence[str]) -> dict[str, object]:
    machine = platform.machine()
    return {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine),
        "os": "linux",
        "created": _BEGINNING,
        "config": {
            "Entrypoint": list(image.entrypoint) or None,
            "Env": [_PATH],
            "WorkingDir": "/",
            **image.config,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in layers]},
        "history": [{"created": _BEGINNING, "created_by": "tests/field"} for _ in layers],
    }


def _add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), 0o644
    stream: IO[bytes] = io.BytesIO(content)
    archive.addfile(entry, stream)


def load(engine: FieldEngine, images: Sequence[ArchivedImage], scratch: Path) -> None:
    """Have the engine load these images."""
    scratch.mkdir(parents=True, exist_ok=True)
    archive = scratch / "images.tar"
    try:
        save(archive, images)
        engine.docker("load", "--quiet", "--input", str(archive))
    finally:
        archive.unlink(missing_ok=True)
