"""Images made of one program: an OCI layout with a single layer, streamed as a tar archive.

No base image is involved, so that no image registry is needed; the program must be linked statically.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

REGISTRY = "todo.runbook"
"""The first word of the references: no registry has it, so that nothing is ever pulled by accident."""

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ScratchImage:
    """An image that holds `program` as /`name`, a user to run it as, and nothing else.

    `links` are further names of a program of many commands.
    """

    name: str
    program: Path
    links: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """Tagged by what it is made of: the same reference is the same image."""
        stat = self.program.stat()
        made_of = " ".join([self.name, str(stat.st_size), str(stat.st_mtime_ns), *self.links])
        return f"{REGISTRY}/{self.name}:{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"

    def write(self, target: IO[bytes]) -> None:
        """Stream the archive into `target`; the program is read twice, once for its digest."""
        digest, size = hashlib.sha256(), 0
        with self._layer() as layer:
            while block := layer.read(_BLOCK):
                digest.update(block)
                size += len(block)
        config = _json(
            {
                "architecture": _architecture(),
                "os": "linux",
                "config": {"Entrypoint": [f"/{self.name}"], "User": "65532:65532"},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest.hexdigest()}"]},
            }
        )
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": _describe("application/vnd.oci.image.config.v1+json", config),
                "layers": [
                    {
                        "mediaType": "application/vnd.oci.image.layer.v1.tar",
                        "digest": f"sha256:{digest.hexdigest()}",
                        "size": size,
                    }
                ],
            }
        )
        described = _describe("application/vnd.oci.image.manifest.v1+json", manifest)
        described["annotations"] = {"io.containerd.image.name": self.reference}
        with tarfile.open(fileobj=target, mode="w|") as archive:
            _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
            _add(archive, "index.json", _json({"schemaVersion": 2, "manifests": [described]}))
            # The older form beside it: what Docker reads before its version 25.
            saved = {"Config": _blob(config), "RepoTags": [self.reference]}
            layers = [f"blobs/sha256/{digest.hexdigest()}"]
            _add(archive, "manifest.json", _json([{**saved, "Layers": layers}]))
            for blob in (config, manifest):
                _add(archive, _blob(blob), blob)
            header = tarfile.TarInfo(f"blobs/sha256/{digest.hexdigest()}")
            header.size = size
            with self._layer() as layer:
                archive.addfile(header, layer)

    @contextmanager
    def _layer(self) -> Iterator[IO[bytes]]:
        """The layer, a tar archive, without a copy of the program in memory or on disk."""
        head = io.BytesIO()
        with tarfile.open(fileobj=head, mode="w") as files:
            _add(files, "etc/passwd", b"root:x:0:0::/:/\nnonroot:x:65532:65532::/:/\n")
            _add(files, "etc/group", b"root:x:0:\nnonroot:x:65532:\n")
            for link in self.links:
                entry = tarfile.TarInfo(link)
                entry.type, entry.linkname = tarfile.SYMTYPE, self.name
                files.addfile(entry)
            start = files.offset  # what follows here is only the end mark
        header = tarfile.TarInfo(self.name)
        header.size, header.mode = self.program.stat().st_size, 0o755
        padding = -header.size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE
        with self.program.open("rb") as program:
            yield cast(
                "IO[bytes]",
                _Chain(
                    io.BytesIO(head.getvalue()[:start] + header.tobuf()), program, io.BytesIO(bytes(padding))
                ),
            )


class _Chain(io.RawIOBase):
    """Several streams, read as one."""

    def __init__(self, *parts: IO[bytes]) -> None:
        self._parts = list(parts)

    def read(self, size: int = -1) -> bytes:
        found = b""
        while self._parts and (size < 0 or len(found) < size):
            block = self._parts[0].read(size - len(found) if size >= 0 else -1)
            if not block:
                self._parts.pop(0)
            found += block
        return found


def _add(archive: tarfile.TarFile, path: str, content: bytes) -> None:
    header = tarfile.TarInfo(path)
    header.size = len(content)
    header.mode = 0o644
    archive.addfile(header, io.BytesIO(content))


def _json(document: Mapping[str, Any] | list[Any]) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _blob(content: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def _describe(media_type: str, blob: bytes) -> dict[str, Any]:
    return {
        "mediaType": media_type,
        "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}",
        "size": len(blob),
    }


def _architecture() -> str:
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
