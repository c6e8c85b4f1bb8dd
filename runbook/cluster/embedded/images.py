"""Images in the node's containerd: what is there, and how more get in (as `kind load` does it)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from runbook.clients.process.environment import of_child
from runbook.cluster import Progress
from runbook.cluster.embedded.archive import ScratchImage
from runbook.cluster.embedded.sandbox import Sandbox
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError

CTR = ["ctr", "--namespace=k8s.io", "images"]
IMPORT_SECONDS = 300.0
_CONTENT = "var/lib/containerd/io.containerd.content.v1.content/blobs"
_ROW = re.compile(r"^(\S+)\s+\S+\s+(sha256:[0-9a-f]{64})\s", re.MULTILINE)
"""A line of `ctr images ls`, which has no JSON output: reference, media type, digest; none holds a blank."""


_TASK = re.compile(r"^([0-9a-f]{64})\s+(\d+)\s+RUNNING", re.MULTILINE)
"""A line of `ctr tasks ls`: container, process, state."""


def processes(sandbox: Sandbox) -> dict[str, int]:
    """Container -> its first process, as the node numbers it."""
    listed = sandbox.run(["ctr", "--namespace=k8s.io", "tasks", "ls"], timeout=30)
    return {container: int(pid) for container, pid in _TASK.findall(listed)}


def familiar(reference: str) -> str:
    """The short form that people and charts write: docker.io/library/todo-backend:1.0.0 is todo-backend:1.0.0."""
    return reference.removeprefix("docker.io/").removeprefix("library/")


def held(sandbox: Sandbox) -> dict[str, str]:
    """Familiar reference -> config digest of each image in the node."""
    found = {}
    for reference, target in _ROW.findall(sandbox.run([*CTR, "ls"], timeout=30)):
        if "@" not in reference and not reference.startswith(
            "sha256:"
        ):  # the same images under further names
            found[familiar(reference)] = _config_digest(sandbox.folder, target)
    return found


def _config_digest(folder: Path, target: str) -> str:
    """Follow an index to this machine's manifest, and that to its config; the blobs are files named by their digest."""
    document = json.loads((folder / _CONTENT / target.replace(":", "/")).read_bytes())
    for manifest in document.get("manifests", []):
        if (folder / _CONTENT / manifest["digest"].replace(":", "/")).exists():
            return _config_digest(folder, manifest["digest"])
    return str(document.get("config", {}).get("digest", target))


def load_scratch(sandbox: Sandbox, images: Sequence[ScratchImage], progress: Progress) -> None:
    """Have these images in the node; one that is there under its reference is the same."""
    there = held(sandbox)
    for image in images:
        if image.reference not in there:
            progress(f"loading image {image.name}")
            with _written_by(image) as archive:
                sandbox.run([*CTR, "import", "-"], timeout=IMPORT_SECONDS, stdin=archive)


@contextmanager
def _written_by(image: ScratchImage) -> Iterator[IO[bytes]]:
    """The image's archive as a stream to read, while a thread writes it."""
    source, target = os.pipe()
    reader, writer = os.fdopen(source, "rb"), os.fdopen(target, "wb")

    def write() -> None:
        try:
            with writer:
                image.write(writer)
        except BrokenPipeError:
            return  # the reader has failed, and says why

    thread = threading.Thread(target=write, name=f"image-{image.name}", daemon=True)
    with reader:
        thread.start()
        yield reader
    thread.join()


def load_from_engine(
    sandbox: Sandbox, references: Sequence[str], environment: Mapping[str, str], progress: Progress
) -> None:
    """Bring images of the build engine into the node, only those whose id differs."""
    there, wanted = held(sandbox), engine_ids(references, environment)
    differing = [reference for reference in references if there.get(familiar(reference)) != wanted[reference]]
    if not differing:
        return
    progress(f"loading {', '.join(differing)}")
    with subprocess.Popen(
        ["docker", "image", "save", *differing],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=of_child(["docker"], environment),
    ) as saving:
        assert saving.stdout is not None and saving.stderr is not None
        try:
            sandbox.run([*CTR, "import", "-"], timeout=IMPORT_SECONDS, stdin=saving.stdout)
        finally:
            saving.stdout.close()  # ends the writer where the reader has ended first
        words = saving.stderr.read().decode(errors="replace").strip()
    if saving.returncode != 0:
        raise CommandFailed(f"`docker image save {' '.join(differing)}` failed: {words}", hint="inv build")
    there = held(sandbox)
    if wrong := [r for r in differing if there.get(familiar(r)) != wanted[r]]:
        raise RunbookError(
            f"after the import the node holds another id of {', '.join(wrong)}",
            wanted=", ".join(wanted[reference] for reference in wrong),
            hint="inv cluster.status",
        )


def forget(sandbox: Sandbox, references: Sequence[str]) -> None:
    """Take these names out of the node; what no other name holds goes with them."""
    known = {
        familiar(reference): reference for reference, _ in _ROW.findall(sandbox.run([*CTR, "ls"], timeout=30))
    }
    if there := [known[familiar(each)] for each in references if familiar(each) in known]:
        sandbox.run([*CTR, "rm", "--sync", *there], timeout=60)


def engine_ids(references: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Reference -> image id (the config digest) in the build engine.

    Raises `RunbookError` for a reference that is not there.
    """
    if not references:
        return {}
    try:
        done = subprocess.run(
            ["docker", "image", "inspect", *references],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=of_child(["docker"], environment),
        )
    except FileNotFoundError as error:
        raise CommandMissing("`docker` is not installed", hint="inv setup") from error
    if done.returncode != 0:
        raise RunbookError(
            f"the build engine does not hold every image: {done.stderr.strip()}",
            wanted=", ".join(references),
            hint="inv build",
        )
    return {
        reference: str(image["Id"])
        for reference, image in zip(references, json.loads(done.stdout), strict=True)
    }
