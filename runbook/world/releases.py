"""Helm releases as the cluster keeps them: one labelled Secret per revision, with the manifest in its payload."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from runbook.errors import Unmeasurable

if TYPE_CHECKING:
    from runbook.world.api import Api, Object

DIGEST_LABEL = "todo.runbook/release-digest"
PENDING = frozenset({"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"})


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a release; `digest` is what our own label says it was made from."""

    name: str
    revision: int
    status: str
    labels: Mapping[str, str] = field(default_factory=dict)
    payload: str = field(default="", repr=False)

    @property
    def digest(self) -> str:
        return self.labels.get(DIGEST_LABEL, "")

    @property
    def pending(self) -> bool:
        """A Helm that was killed left it so, or one is at work now."""
        return self.status in PENDING

    def manifest(self) -> list[Object]:
        """The objects that this revision installed, without hooks. Raises `Unmeasurable` for a damaged record."""
        return self._objects(lambda record: [record["manifest"]])

    def hooks(self) -> list[Object]:
        """The objects that it makes before or after, and mostly removes again. Raises as `manifest` does."""
        return self._objects(lambda record: [each["manifest"] for each in record.get("hooks") or []])

    def _objects(self, manifests: Callable[[Mapping[str, Any]], Sequence[str]]) -> list[Object]:
        try:
            # The API's base64 around Helm's own base64 around gzip.
            record = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(self.payload))))
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            return [each for text in manifests(record) for each in yaml.load_all(text, Loader=loader) if each]
        except (ValueError, KeyError, OSError, yaml.YAMLError) as problem:
            raise Unmeasurable(
                f"the record of revision {self.revision} of {self.name} cannot be read: {problem}",
                wanted="the manifest of the release",
                hint=f"helm get manifest {self.name}",
            ) from None


def revisions(api: Api, name: str, namespace: str) -> list[Revision]:
    """All kept revisions, oldest first; none where the release does not exist."""
    found = []
    for secret in api.list("Secret", namespace, labels=f"owner=helm,name={name}"):
        labels = secret["metadata"].get("labels") or {}
        number, status = int(labels.get("version", 0)), str(labels.get("status", ""))
        payload = str((secret.get("data") or {}).get("release", ""))
        found.append(Revision(name, number, status, labels, payload))
    return sorted(found, key=lambda each: each.revision)


def newest(api: Api, name: str, namespace: str) -> Revision | None:
    """The last revision, or None."""
    found = revisions(api, name, namespace)
    return found[-1] if found else None
