"""The images in a node whose runtime is containerd, asked and removed by programs that run in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Set
from dataclasses import dataclass

from runbook.clients.holdings import HeldImage, digests, familiar

Inside = Callable[..., str]
"""Runs a program, given word by word, in the node and returns its standard output."""

_CTR = ("ctr", "--namespace=k8s.io", "images")
_ROW = re.compile(r"^(\S+)\s+\S+\s+(sha256:[0-9a-f]{64})\s", re.MULTILINE)
"""A line of `ctr images ls`, which has no JSON output: reference, media type, digest; none holds a blank."""

_IMPORTED = "import-"
"""How the second name begins under which an archive of images is imported: import-<date>@<digest>."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An image with all its tags, in the familiar form; without any it is what a newer image of that name left."""

    tags: frozenset[str]
    held: HeldImage


def listed(inside: Inside) -> list[Listed]:
    """What crictl lists, with the digests that ctr knows beside: crictl omits them for an image of several tags."""
    targets: dict[str, set[str]] = {}
    for name, target in _names(inside):
        targets.setdefault(familiar(name), set()).add(target)
    found = []
    for image in json.loads(inside("crictl", "images", "--output=json") or "{}").get("images", []):
        tags = frozenset(familiar(str(tag)) for tag in image.get("repoTags") or [])
        others = digests(*map(str, image.get("repoDigests") or []))
        others = others.union(*(targets.get(tag, set()) for tag in tags))
        found.append(Listed(tags, HeldImage(str(image["id"]), others)))
    return found


def held(inside: Inside) -> dict[str, HeldImage]:
    """Familiar reference -> image."""
    return {tag: image.held for image in listed(inside) for tag in image.tags}


def drop(inside: Inside, leftover: Callable[[Listed], bool], names: Set[str]) -> None:
    """Take out these names, and those under which each image that is a `leftover` was imported.

    Names and not images: `crictl rmi` takes every other name of the same image with it.
    """
    gone = {digest for image in listed(inside) if leftover(image) for digest in image.held.identities}
    rows = _names(inside)
    if unwanted := [
        name
        for name, target in rows
        if familiar(name) in names or (name.startswith(_IMPORTED) and target in gone)
    ]:
        inside(*_CTR, "rm", "--sync", *unwanted)


def _names(inside: Inside) -> list[tuple[str, str]]:
    return _ROW.findall(inside(*_CTR, "ls"))
