"""Helm releases as the cluster keeps them: one labelled Secret per revision, with the manifest in its payload."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from runbook.engine.errors import Foreign, Unmeasurable
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.clients.kube.api import Api, Object
    from runbook.engine.settings import Settings

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
    def installation(self) -> str:
        """The id of the installation that made it, "" where its record carries none."""
        return self.labels.get(installation.LABEL, "")

    @property
    def pending(self) -> bool:
        """A Helm that was killed left it so, or one is at work now."""
        return self.status in PENDING

    def manifest(self) -> list[Object]:
        """The objects that this revision installed, without hooks. Raises `Unmeasurable` for a damaged record."""
        with self._readable():
            return _documents(self._record()["manifest"])

    def hooks(self) -> list[Object]:
        """The objects that it makes before or after, and mostly removes again. Raises as `manifest` does."""
        with self._readable():
            return [
                each for hook in self._record().get("hooks") or [] for each in _documents(hook["manifest"])
            ]

    def values(self) -> Object:
        """The values that this revision was given. Raises as `manifest` does."""
        with self._readable():
            return dict(self._record().get("config") or {})

    def notes(self) -> str:
        """What Helm said after it. Raises as `manifest` does."""
        with self._readable():
            return str((self._record().get("info") or {}).get("notes") or "")

    def description(self) -> str:
        """What Helm says of it, such as `Upgrade complete` or `Rollback to 2`. Raises as `manifest` does."""
        with self._readable():
            return str((self._record().get("info") or {}).get("description") or "")

    def chart_version(self) -> str:
        """The version of the chart that it was made from. Raises as `manifest` does."""
        with self._readable():
            return str(self._record()["chart"]["metadata"]["version"])

    def _record(self) -> Object:
        """Helm's own JSON: the API's base64 around Helm's base64 around gzip."""
        return dict(json.loads(gzip.decompress(base64.b64decode(base64.b64decode(self.payload)))))

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, TypeError, OSError, yaml.YAMLError) as problem:
            raise Unmeasurable(
                f"the record of revision {self.revision} of {self.name} cannot be read: {problem}",
                wanted="the record of the release",
                hint=f"helm get manifest {self.name}",
            ) from None


def _documents(text: str) -> list[Object]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [each for each in yaml.load_all(text, Loader=loader) if each]


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


def are_ours(settings: Settings, kept: Sequence[Revision]) -> bool:
    """Whether this installation made a release: one that Helm upgraded by somebody's hand since is still ours."""
    owners = {each.installation for each in kept} - {""}
    return owners != set() and owners == {installation.known(settings)}


def refuse_foreign(settings: Settings, api: Api, name: str, namespace: str) -> None:
    """Raise `Foreign` where there is a release of that name that this installation did not make."""
    if problem := foreign_problem(settings, revisions(api, name, namespace), namespace):
        raise Foreign(
            f"{problem}; it was left as it is",
            wanted="a release of ours, or none of that name",
            hint=_ways(settings, name, namespace),
        )


def foreign_problem(settings: Settings, kept: Sequence[Revision], namespace: str) -> str:
    """Empty where the release is ours, or there is none."""
    if not kept or are_ours(settings, kept):
        return ""
    owners = {each.installation for each in kept} - {"", installation.known(settings)}
    told = f"another installation ({min(owners)[:8]})" if owners else "somebody else"
    return f"release {kept[-1].name} in namespace {namespace} was made by {told}"


def _ways(settings: Settings, name: str, namespace: str) -> str:
    ways = ["TODO_NAMESPACE=<another name> inv deploy"] if namespace == settings.namespace else []
    return "; or ".join([*ways, f"helm list --namespace {namespace}, which shows whose {name} is"])
