"""Images from one program: a valid OCI layout whose every digest holds."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from runbook.cluster.embedded.archive import ScratchImage


@pytest.fixture(params=[0, 1, 511, 512, 513, 3_000_000], ids=lambda size: f"{size} bytes")
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / "program"
    file.write_bytes(os.urandom(request.param))
    return file


def contents(image: ScratchImage) -> dict[str, bytes]:
    target = io.BytesIO()
    image.write(target)
    target.seek(0)
    with tarfile.open(fileobj=target) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_every_digest_and_size_holds_and_the_program_is_in_it(program: Path) -> None:
    image = ScratchImage("coredns", program)
    files = contents(image)
    described = json.loads(files["index.json"])["manifests"][0]
    assert described["annotations"]["io.containerd.image.name"] == image.reference

    def follow(descriptor: dict[str, object]) -> bytes:
        blob = files[f"blobs/{str(descriptor['digest']).replace(':', '/')}"]
        assert hashlib.sha256(blob).hexdigest() == str(descriptor["digest"]).removeprefix("sha256:")
        assert len(blob) == descriptor["size"]
        return blob

    manifest = json.loads(follow(described))
    config, layer = json.loads(follow(manifest["config"])), follow(manifest["layers"][0])
    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
    assert config["config"]["User"] == "65532:65532"
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        member = archive.getmember("coredns")
        assert member.mode == 0o755
        assert archive.extractfile(member).read() == program.read_bytes()  # type: ignore[union-attr]
        assert b"65532" in archive.extractfile("etc/passwd").read()  # type: ignore[union-attr]


def test_a_program_of_many_commands_is_there_under_each_of_their_names(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_bytes(b"many")
    image = ScratchImage("dapr", file, links=("daprd", "sentry"))
    files = contents(image)
    layer = max(files.values(), key=len)
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        assert archive.extractfile("daprd").read() == b"many"  # type: ignore[union-attr]
        assert archive.getmember("sentry").linkname == "dapr"
    assert image.reference != ScratchImage("dapr", file).reference


def test_the_reference_follows_the_program(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_bytes(b"one")
    first = ScratchImage("coredns", file).reference
    assert ScratchImage("coredns", file).reference == first
    assert ScratchImage("traefik", file).reference != first
    file.write_bytes(b"other")
    assert ScratchImage("coredns", file).reference != first
