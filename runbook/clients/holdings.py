"""What the nodes of a cluster hold, and by which digests one and the same image goes.

An image has several: that of its configuration, of its manifest, of an index around it. Docker's older image store
tells the first and its containerd store the second; crictl tells the first, and a pod's status either. So two sides
speak of the same image where one digest is common to both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_DIGEST = re.compile(r"sha256:[0-9a-f]+")


def digests(*words: str) -> frozenset[str]:
    """Every digest in these words: ids, references by digest, the image ids of a pod's status."""
    return frozenset(digest for each in words for digest in _DIGEST.findall(each))


def familiar(reference: str) -> str:
    """The short form that people and charts write: docker.io/library/todo-backend:1.0.0 is todo-backend:1.0.0."""
    return reference.removeprefix("docker.io/").removeprefix("library/")


@dataclass(frozen=True, slots=True)
class HeldImage:
    """An image in a node: the id that the node's runtime gives it, and every other digest by which it goes there."""

    id: str
    others: frozenset[str] = frozenset()

    @property
    def identities(self) -> frozenset[str]:
        return self.others | {self.id}


@dataclass(frozen=True, slots=True)
class Holdings:
    """Node -> familiar reference -> image. `where` says in a word what holds them: "node", "registry"."""

    nodes: Mapping[str, Mapping[str, HeldImage]] = field(default_factory=dict)

    @classmethod
    def of(cls, node: str, ids: Mapping[str, str]) -> Holdings:
        """One node that tells one id for each reference."""
        return cls({node: {reference: HeldImage(image) for reference, image in ids.items()}})

    def image(self, reference: str) -> HeldImage | None:
        """The image of that name; None unless every node holds it, and the same one."""
        found = [images.get(familiar(reference)) for images in self.nodes.values()]
        first = found[0] if found else None
        if first is None or any(each is None or not each.identities & first.identities for each in found):
            return None
        return first

    def problems(self, reference: str, wanted: Iterable[str]) -> list[str]:
        """What is wrong with it, node by node: not there, or another image than the wanted one."""
        told, same = [], frozenset(wanted)
        for node, images in self.nodes.items():
            found = images.get(familiar(reference))
            if found is None:
                told.append(f"{node} does not hold {reference}")
            elif not found.identities & same:
                told.append(
                    f"{node} holds another {reference}: {short(found.id)}, not {short(min(same, default='nothing'))}"
                )
        return told

    def wanted(self, image: str, node: str = "") -> frozenset[str]:
        """All digests of what a pod's `image` names now: by its tag on its node, or by the digest that it carries."""
        if "@" in image:
            return self.identities(image, node)
        chosen = [self.nodes[node]] if node in self.nodes else self.nodes.values()
        found = [each[familiar(image)].identities for each in chosen if familiar(image) in each]
        return frozenset().union(*found)

    def identities(self, running: str, node: str = "") -> frozenset[str]:
        """All digests of the image that a pod's status names in `running`, as its node (else any) knows it."""
        named = digests(running)
        chosen = [self.nodes[node]] if node in self.nodes else self.nodes.values()
        same = [each.identities for images in chosen for each in images.values() if each.identities & named]
        return named.union(*same)

    def id(self, running: str, node: str = "") -> str:
        """One digest for the image that a pod's status names, the same on whichever node it runs."""
        named = digests(running)
        chosen = [self.nodes[node]] if node in self.nodes else list(self.nodes.values())
        known = [each.id for images in chosen for each in images.values() if each.identities & named]
        return known[0] if known else max(named, default="")


def short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
