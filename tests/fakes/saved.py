"""Archives as `docker image save` writes them, made by hand for tests."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Files = Mapping[str, bytes | tuple[int, bytes]]
"""Content by path, with a mode where it matters; a path that ends in / is a folder."""

OS_RELEASE = {"etc/os-release": b'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n'}


def layer(files: Files) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for path, given in files.items():
            mode, content = given if isinstance(given, tuple) else (0o644, given)
            member = tarfile.TarInfo(path)
            member.mode, member.size = mode, len(content)
            if path.endswith("/"):
                member.type = tarfile.DIRTYPE
            tar.addfile(member, io.BytesIO(content))
    return written.getvalue()


def save(file: Path, images: Mapping[str, Sequence[Files]], **configuration: Any) -> Path:
    """An archive of these images: layers by reference. Equal layers are there once."""
    blobs: dict[str, bytes] = {}
    manifest = []
    for number, (reference, layers) in enumerate(images.items()):
        names = []
        for each in map(layer, layers):
            name = next((known for known, blob in blobs.items() if blob == each), f"blobs/{len(blobs)}")
            blobs[name] = each
            names.append(name)
        config = {"created": "2026-11-23T18:00:00.123456789Z", "config": {}, "history": [], **configuration}
        blobs[f"config-{number}.json"] = json.dumps(config).encode()
        manifest.append({"Config": f"config-{number}.json", "RepoTags": [reference], "Layers": names})
    blobs["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(file, "w") as tar:
        for name, blob in blobs.items():
            member = tarfile.TarInfo(name)
            member.size = len(blob)
            tar.addfile(member, io.BytesIO(blob))
    return file
