"""The Kubernetes API of the pinned cluster, as plain JSON.

The `kubernetes` package reads the kubeconfig, asks, watches, discovers and streams. Its models are left aside: objects
are dictionaries as the API serves them, of which two or three fields are asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from threading import RLock
from typing import Any

from runbook.clients.kube.kinds import Kind, Kinds
from runbook.clients.kube.pin import PINNED, Pin
from runbook.clients.kube.reviews import Reviews
from runbook.clients.kube.transport import READ_TIMEOUT, Answer, Expired, Refused, Wire
from runbook.clients.process.commands import CommandResult
from runbook.clients.target import Target
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.waiting import Change

Object = dict[str, Any]
Objects = list[Object]

FIELD_MANAGER = "todo-runbook"
PAUSE = 0.5
"""Seconds between attempts to take up a watch that broke."""


LONGEST_WATCH = 30.0
"""Seconds after which a watch is taken up anew, so that one that nobody follows any more soon ends."""


class Api:
    """Reads are free; a write is refused unless the cluster that answers is the pinned one (`WrongCluster`)."""

    def __init__(self, settings: Settings, cluster: Target) -> None:
        self._cluster = cluster
        self._wire = Wire(cluster)
        self._kinds = Kinds(lambda name, group: self._wire.client().discover(name, group))
        self._pin = Pin(settings.state / PINNED)
        self._lock = RLock()
        self._guarded = 0
        self.reviews = Reviews(self._wire, self._kinds)
        """What the server would decide: rights and admission, without writing."""

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None where there is none of that name."""
        try:
            return self._wire.json("GET", self._kinds.resolve(kind).path(namespace, name))
        except Refused as refusal:
            if refusal.not_found:
                return None
            raise

    def list(self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "") -> Objects:
        """All objects of a kind, in one namespace or in all, that match the label and field selectors."""
        return self._list(self._kinds.resolve(kind), namespace, labels, fields)[0]

    def instances(self, definition: Object) -> Objects:
        """All objects of a custom resource definition, in all namespaces."""
        spec = definition["spec"]
        version = next(each["name"] for each in spec["versions"] if each.get("served"))
        root = f"/apis/{spec['group']}/{version}"
        return self._list(Kind(root, str(spec["names"]["plural"])), None, "", "")[0]

    def watch(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "", deadline: float
    ) -> Iterator[Change]:
        """What is there (as ADDED), SYNCED, then each change as it comes, until `deadline` (of `time.monotonic`).

        A broken connection is taken up again. Raises `Unmeasurable` where the API is away until the deadline.
        """
        place = self._kinds.resolve(kind)
        known: dict[str, Object] = {}
        version = ""
        while True:
            began = time.monotonic()
            try:
                if not version:
                    found, version = self._list(place, namespace, labels, fields)
                    yield from _differences(known, found)
                    yield Change("SYNCED", {})
                for change in self._changes(place, namespace, _selectors(labels, fields), version, deadline):
                    version = str(change.object["metadata"]["resourceVersion"])
                    _remember(known, change)
                    yield change
            except Expired:
                version = ""
            except Unmeasurable:
                if time.monotonic() + PAUSE >= deadline:
                    raise
            if time.monotonic() >= deadline:
                return
            # A server that closes at once is not asked in a busy loop.
            time.sleep(max(0.0, began + PAUSE - time.monotonic()))

    def logs(
        self,
        pod: str,
        container: str,
        namespace: str,
        *,
        since: float | None = None,
        tail: int | None = None,
        previous: bool = False,
    ) -> str:
        """What a container wrote: of the last `since` seconds, its last `tail` lines; not redacted."""
        asked: dict[str, str] = {"container": container}
        if since is not None:
            asked["sinceSeconds"] = str(max(1, round(since)))
        if tail is not None:
            asked["tailLines"] = str(tail)
        if previous:
            asked["previous"] = "true"
        path = self._kinds.resolve("Pod").path(namespace, pod) + "/log"
        return self._wire.request("GET", path, params=asked).text

    def log_lines(
        self,
        pod: str,
        container: str,
        namespace: str,
        *,
        since: str = "",
        tail: int | None = None,
        follow: bool,
    ) -> Iterator[str]:
        """What a container writes, each line behind its time (RFC 3339) and a blank; not redacted.

        `since` is such a time. With `follow` as it comes, until the container ends or was silent for a while.
        """
        asked = {"container": container, "timestamps": "true", "follow": str(follow).lower()}
        if since:
            asked["sinceTime"] = since
        if tail is not None:
            asked["tailLines"] = str(tail)
        path = self._kinds.resolve("Pod").path(namespace, pod) + "/log"
        return self._wire.lines(path, asked, READ_TIMEOUT)

    def events(self, namespace: str, *, about: str = "") -> Objects:
        """Events of a namespace, or of the object with UID `about`; newest last."""
        found = self.list("Event", namespace, fields=f"involvedObject.uid={about}" if about else "")
        return sorted(
            found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or "")
        )

    def version(self) -> str:
        """The version of the API server, such as v1.35.4."""
        return str(self._wire.json("GET", "/version")["gitVersion"])

    def raw(self, path: str, *, timeout: float = READ_TIMEOUT) -> Answer:
        """Any GET of the API server, such as the proxy of a Service; the status is the caller's to judge."""
        return self._wire.send("GET", path, timeout=timeout)

    def exec(
        self,
        pod: str,
        container: str,
        argv: Sequence[str],
        namespace: str,
        *,
        timeout: float = READ_TIMEOUT,
        stdin: str | None = None,
    ) -> CommandResult:
        """Run a command in a container. Raises `Unmeasurable` where it could not be started."""
        client = self._wire.client()
        # Not before the client: two threads that import a package from two of its modules are in each other's way.
        from runbook.clients.kube.streams import run_in_container

        path = self._kinds.resolve("Pod").path(namespace, pod) + "/exec"
        return run_in_container(client, path, container, argv, timeout=timeout, stdin=stdin)

    def port_forward(self, pod: str, port: int, namespace: str) -> AbstractContextManager[int]:
        """A local port on 127.0.0.1 that leads to a pod's port, for as long as the context lasts."""
        client = self._wire.client()
        from runbook.clients.kube.streams import forwarded

        path = self._kinds.resolve("Pod").path(namespace, pod) + "/portforward"
        return forwarded(client, path, port)

    def guard(self, *, pinned: bool = False) -> None:
        """Refuse to go on unless the answering cluster is the pinned one; the first one written to is pinned.

        `pinned`: there must be a pin already, as whoever removes something demands. Raises `WrongCluster`. Whoever
        writes by other means (Helm) calls this first.
        """
        with self._lock:
            self._wire.client()
            if pinned:
                self._pin.demand()
            if self._guarded != self._wire.generation:
                self._pin.agree(self._cluster.kubeconfig(), self.uid())
                self._guarded = self._wire.generation

    def apply(self, manifest: Mapping[str, Any], namespace: str | None = None) -> Object:
        """Server-side apply: what the manifest says becomes ours, what it does not say stays as it is."""
        self.guard()
        metadata = manifest["metadata"]
        path = self._kinds.of(manifest).path(metadata.get("namespace") or namespace, metadata["name"])
        return self._wire.json(
            "PATCH",
            path,
            params={"fieldManager": FIELD_MANAGER, "force": "true"},
            body=manifest,
            content_type="application/apply-patch+yaml",
        )

    def create(self, manifest: Mapping[str, Any]) -> Object:
        """A new object. Raises `Refused` where there is one of that name already, or it is not admitted."""
        self.guard()
        path = self._kinds.of(manifest).path(manifest["metadata"].get("namespace"))
        return self._wire.json("POST", path, params={"fieldManager": FIELD_MANAGER}, body=manifest)

    def replace(self, manifest: Mapping[str, Any]) -> Object:
        """The object as the manifest says it, and nothing else of it."""
        self.guard()
        metadata = manifest["metadata"]
        path = self._kinds.of(manifest).path(metadata.get("namespace"), metadata["name"])
        return self._wire.json("PUT", path, body=manifest)

    def patch(
        self, kind: str, name: str, namespace: str | None, operations: Sequence[Mapping[str, Any]]
    ) -> Object:
        """Operations of a JSON patch, all or none."""
        self.guard()
        path = self._kinds.resolve(kind).path(namespace, name)
        return self._wire.json(
            "PATCH", path, body=list(operations), content_type="application/json-patch+json"
        )

    def delete(
        self, kind: str, name: str, namespace: str | None = None, *, uid: str = "", grace: int | None = None
    ) -> bool:
        """Delete an object and what it owns; False where there was none. With `uid`: only that very object.

        `grace` is the time in seconds that a pod's processes have to end; 0 takes it off the API at once.
        """
        self.guard()
        options: dict[str, Any] = {"propagationPolicy": "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if uid:
            options["preconditions"] = {"uid": uid}
        path = self._kinds.resolve(kind).path(namespace, name)
        try:
            self._wire.request("DELETE", path, body=options)
        except Refused as refusal:
            if refusal.not_found:
                return False
            raise
        return True

    def uid(self) -> str:
        """The UID of kube-system: which cluster answers."""
        found = self.get("Namespace", "kube-system")
        if found is None:
            raise Unmeasurable("the cluster has no namespace kube-system", hint="inv cluster.status")
        return str(found["metadata"]["uid"])

    def _list(self, place: Kind, namespace: str | None, labels: str, fields: str) -> tuple[Objects, str]:
        found = self._wire.json("GET", place.path(namespace), params=_selectors(labels, fields))
        return found.get("items") or [], str(found["metadata"].get("resourceVersion", ""))

    def _changes(
        self, place: Kind, namespace: str | None, selectors: dict[str, str], version: str, deadline: float
    ) -> Iterator[Change]:
        """Changes after a resource version, until the server or the deadline ends them."""
        left = min(deadline - time.monotonic(), LONGEST_WATCH)
        if left <= 0:
            return
        with closing(self._wire.changes(place.path(namespace), selectors, version, left)) as events:
            for event in events:
                yield Change(event["type"], event["object"])


def _selectors(labels: str, fields: str) -> dict[str, str]:
    return {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}


def _differences(known: dict[str, Object], found: Objects) -> Iterator[Change]:
    """A fresh list told as changes against what was known before."""
    there = {str(item["metadata"]["uid"]): item for item in found}
    for uid in [uid for uid in known if uid not in there]:
        yield Change("DELETED", known.pop(uid))
    for uid, item in there.items():
        yield Change("MODIFIED" if uid in known else "ADDED", item)
        known[uid] = item


def _remember(known: dict[str, Object], change: Change) -> None:
    uid = str(change.object["metadata"]["uid"])
    if change.type == "DELETED":
        known.pop(uid, None)
    else:
        known[uid] = change.object
