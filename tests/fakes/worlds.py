"""Worlds for tests: real values, fake clients. Only what a test gives is there; asking for more is an error."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from runbook.clients.holdings import Holdings
from runbook.clients.http import Http
from runbook.clients.kube.kinds import BUILT_IN, NotServed
from runbook.clients.target import Kubeconfig
from runbook.cluster import ClusterStatus
from runbook.engine.errors import Unmeasurable, WrongCluster
from runbook.engine.settings import Settings
from runbook.engine.waiting import Change
from runbook.world import World
from runbook.world.memory import Memory

Object = dict[str, Any]


def world_of(settings: Settings, **clients: Any) -> World:
    """A world that has exactly these clients."""
    known = {"settings": settings, "memory": Memory(), "stopping": threading.Event(), "changes": frozenset()}
    given = SimpleNamespace(**known | clients)
    return World(given)  # type: ignore[arg-type]


def http_of(settings: Settings) -> Http:
    """The real client, asking at a fake cluster's address."""
    return Http(settings, FakeCluster())  # type: ignore[arg-type]


class FakeApi:
    """A cluster in a dictionary. Writes are remembered in `written` as (verb, kind, name)."""

    def __init__(self, *objects: Object) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.written: list[tuple[str, str, str]] = []
        self.guards = 0
        self.logged: dict[str, str] = {}
        self.answers: dict[str, int] = {}
        self.server_version = "v1.35.4"
        self.away = False
        self.pinned = True
        self.on_delete: Callable[[str, str], None] = lambda _kind, _name: None
        for each in objects:
            self.put(each)

    def put(self, thing: Object) -> None:
        metadata = thing["metadata"]
        metadata.setdefault("uid", f"uid-{metadata['name']}")
        metadata.setdefault("resourceVersion", "1")
        self.objects[thing["kind"], str(metadata.get("namespace", "")), metadata["name"]] = thing

    def _ask(self) -> None:
        if self.away:
            raise Unmeasurable(
                "the Kubernetes API at https://127.0.0.1:1 does not answer: connection refused"
            )

    @staticmethod
    def _served(kind: str) -> str:
        """As the real client: a kind that is none of Kubernetes' own is known by its group alone."""
        name, _, group = kind.partition(".")
        if not group and name not in BUILT_IN:
            raise NotServed(f"the cluster serves no kind {kind}")
        return name

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        self._ask()
        return self.objects.get((self._served(kind), namespace or "", name))

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> list[Object]:
        self._ask()
        wanted = self._served(kind)
        return [
            thing
            for (k, space, _), thing in self.objects.items()
            if k == wanted and (namespace is None or space == namespace) and _matches(thing, labels)
        ]

    def instances(self, definition: Object) -> list[Object]:
        group = definition["metadata"]["name"].partition(".")[2]
        return self.list(f"{definition['spec']['names']['kind']}.{group}")

    def watch(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = "", deadline: float
    ) -> Iterator[Change]:
        for thing in self.list(kind, namespace, labels=labels):
            yield Change("ADDED", thing)
        yield Change("SYNCED", {})

    def events(self, namespace: str, *, about: str = "") -> list[Object]:
        return [e for e in self.list("Event", namespace) if not about or e["involvedObject"]["uid"] == about]

    def logs(self, pod: str, container: str, namespace: str, **_: Any) -> str:
        self._ask()
        return self.logged.get(pod, "")

    def raw(self, path: str, **_: Any) -> Any:
        self._ask()
        return SimpleNamespace(status_code=next((s for p, s in self.answers.items() if p in path), 200))

    def version(self) -> str:
        self._ask()
        return self.server_version

    def guard(self, *, pinned: bool = False) -> None:
        self._ask()
        if pinned and not self.pinned:
            raise WrongCluster("no cluster is pinned", wanted="a pinned cluster")
        self.guards += 1

    def uid(self) -> str:
        self._ask()
        return str(self.objects["Namespace", "", "kube-system"]["metadata"]["uid"])

    def apply(self, manifest: Mapping[str, Any], namespace: str | None = None) -> Object:
        self.guard()
        thing = dict(manifest)
        metadata = {**thing["metadata"]}
        thing["metadata"] = metadata
        before = self.get(thing["kind"], metadata["name"], metadata.get("namespace"))
        if before:
            metadata["labels"] = {
                **(before["metadata"].get("labels") or {}),
                **(metadata.get("labels") or {}),
            }
        self.put(thing)
        self.written.append(("apply", thing["kind"], metadata["name"]))
        return thing

    def create(self, manifest: Mapping[str, Any]) -> Object:
        self.guard()
        thing = copy.deepcopy(dict(manifest))
        self.put(thing)
        self.written.append(("create", thing["kind"], thing["metadata"]["name"]))
        return thing

    def replace(self, manifest: Mapping[str, Any]) -> Object:
        self.guard()
        thing = copy.deepcopy(dict(manifest))
        self.put(thing)
        self.written.append(("replace", thing["kind"], thing["metadata"]["name"]))
        return thing

    def patch(
        self, kind: str, name: str, namespace: str | None, operations: Sequence[Mapping[str, Any]]
    ) -> Object:
        """Operations on fields of mappings; no lists."""
        self.guard()
        thing = copy.deepcopy(self.objects[self._served(kind), namespace or "", name])
        for operation in operations:
            *parents, last = [
                part.replace("~1", "/") for part in operation["path"].removeprefix("/").split("/")
            ]
            place = thing
            for parent in parents:
                place = place[parent]
            if operation["op"] == "remove":
                del place[last]
            else:
                place[last] = operation["value"]
        self.put(thing)
        self.written.append(("patch", kind, name))
        return thing

    def delete(
        self, kind: str, name: str, namespace: str | None = None, *, uid: str = "", grace: int | None = None
    ) -> bool:
        self.guard()
        self.written.append(("delete", kind, name))
        self.on_delete(kind, name)
        return self.objects.pop((self._served(kind), namespace or "", name), None) is not None


def _matches(thing: Object, selector: str) -> bool:
    labels = thing["metadata"].get("labels") or {}
    if " in (" in selector:
        key, _, values = selector.rstrip(")").partition(" in (")
        return labels.get(key) in values.split(",")
    if selector and "=" not in selector:
        return selector in labels
    wanted = dict(part.split("=", 1) for part in selector.split(",") if part)
    return wanted.items() <= labels.items()


def usable(*names: str, dns: bool = True) -> FakeApi:
    """A cluster whose nodes of these names are Ready, and its DNS unless a test says otherwise."""
    nodes: list[dict[str, Any]] = [
        {
            "kind": "Node",
            "metadata": {"name": name},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
        for name in names
    ]
    endpoints = {
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns-1",
            "namespace": "kube-system",
            "labels": {"kubernetes.io/service-name": "kube-dns"},
        },
        "endpoints": [{"conditions": {"ready": dns}}],
    }
    return FakeApi(*nodes, endpoints)


class FakeCluster:
    """An embedded cluster that runs, until a test says otherwise."""

    name = "todo"
    provider = "embedded"
    builds_inside = False

    def __init__(self, images: Mapping[str, str] | None = None) -> None:
        self.images = dict(images or {})
        self.running = True
        self.stopped = False
        """There, and not running."""
        self.ours = True
        self.address = "10.0.0.2"
        self.calls: list[str] = []

    def status(self) -> ClusterStatus:
        parts = {"node": "running"} if self.running else {"node": "stopped"} if self.stopped else {}
        return ClusterStatus(
            self.provider, self.running, "runs" if self.running else "not there", "v1.35.4", parts
        )

    def is_ours(self) -> bool:
        return self.ours

    def up(self, progress: Callable[[str], None]) -> None:
        self.calls.append("up")
        self.running = True

    def stop(self, progress: Callable[[str], None]) -> None:
        self.calls.append("stop")
        self.running, self.stopped = False, True

    def down(self, progress: Callable[[str], None]) -> None:
        self.calls.append("down")
        self.running = self.stopped = False

    def holdings(self, references: Collection[str] = ()) -> Holdings:
        return Holdings.of("todo", self.images)

    def pod_image(self, reference: str) -> str:
        return reference

    def ingress_address(self, port: int = 80) -> str:
        return self.address

    def ingress_port(self, port: int = 80) -> int:
        return port

    def machine_address(self) -> str:
        return "10.100.255.1"

    def enable_ingress(self, progress: Callable[[str], None]) -> None:
        self.calls.append("ingress")

    def docker_environment(self) -> Mapping[str, str]:
        return {}

    def kubeconfig(self) -> Kubeconfig:
        return Kubeconfig(Path("/state/kubeconfig"), "todo")
