"""Helm releases as the cluster keeps them: one labelled Secret per revision, read without decoding its payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runbook.world.api import Api

DIGEST_LABEL = "todo.runbook/release-digest"
PENDING = frozenset({"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"})


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a release; `digest` is what our own label says it was made from."""

    name: str
    revision: int
    status: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return self.labels.get(DIGEST_LABEL, "")

    @property
    def pending(self) -> bool:
        """A Helm that was killed left it so, or one is at work now."""
        return self.status in PENDING


def revisions(api: Api, name: str, namespace: str) -> list[Revision]:
    """All kept revisions, oldest first; none where the release does not exist."""
    found = []
    for secret in api.list("Secret", namespace, labels=f"owner=helm,name={name}"):
        labels = secret["metadata"].get("labels") or {}
        found.append(Revision(name, int(labels.get("version", 0)), str(labels.get("status", "")), labels))
    return sorted(found, key=lambda each: each.revision)


def newest(api: Api, name: str, namespace: str) -> Revision | None:
    """The last revision, or None."""
    found = revisions(api, name, namespace)
    return found[-1] if found else None
