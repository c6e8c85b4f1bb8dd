"""A release upgraded and rolled back as by Helm, on a cluster in a dictionary: records, objects and pods follow."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from runbook.actions.package import release
from runbook.app.application import COMPONENTS, Component
from runbook.clients.kube.releases import Revision, revisions
from runbook.engine.errors import CommandFailed
from runbook.engine.settings import Settings
from runbook.probes.load import LoadResult
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

Object = dict[str, Any]

PROJECT = Path(__file__).resolve().parents[2]
IMAGES = {f"{each.image}:1.0.0": "sha256:" + f"{ord(each.name[0]):x}"[-1] * 64 for each in COMPONENTS} | {
    f"{name}:1.0.0": running.IMAGE for name in ("todo-postgres", "todo-offline-model")
}
SERIAL = count(1)


class Cluster(FakeCluster):
    """Takes images in and forgets them."""

    def __init__(self) -> None:
        super().__init__(IMAGES)
        self.engine: dict[str, str] = {}
        self.loads = True

    def load_images(self, references: Sequence[str], progress: Callable[[str], None]) -> None:
        if self.loads:
            self.images.update({reference: self.engine[reference] for reference in references})

    def forget_images(self, references: Sequence[str]) -> None:
        for reference in references:
            self.images.pop(reference, None)


class Engine:
    """Builds an image with an identity of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.same = False
        self.discarded: list[str] = []

    def build(self, context: Path, reference: str, *, file: Path, **_: Any) -> None:
        base = file.read_text().removeprefix("FROM ").strip()
        own = f"sha256:{next(SERIAL):064d}"
        self.cluster.engine[reference] = IMAGES[base] if self.same else own

    def discard(self, reference: str) -> None:
        self.discarded.append(reference)


class Helm:
    """As Helm: revisions with a status and a description, objects applied, pods rolled where their template changed."""

    def __init__(self, api: FakeApi, cluster: Cluster) -> None:
        self.api = api
        self.cluster = cluster
        self.rolls_back = True
        self.notices = True
        """Whether it sees pods that never become ready."""
        self.deaf = False
        """It records revisions, and changes nothing."""

    def upgrade(
        self,
        name: str,
        chart: Path,
        space: str,
        *,
        values: Any,
        labels: Mapping[str, str] | None = None,
        timeout: float,
        wait: bool = False,
        rollback: bool = False,
    ) -> None:
        wanted = _objects(values.overrides or {}, space) if name == "todo-app" else [_stand_in(name, space)]
        broken = self._roll(wanted, space)
        before = [each for each in revisions(self.api, name, space) if each.status == "deployed"]
        fails = broken and wait and self.notices
        self._record(name, space, wanted, "failed" if fails else "deployed", "Upgrade complete", labels or {})
        if fails:
            if rollback and self.rolls_back:
                self.rollback(name, before[-1].revision, space)
            raise CommandFailed("helm upgrade ended with status 1: context deadline exceeded")

    def rollback(self, name: str, revision: int, space: str, **_: Any) -> None:
        target = next(each for each in revisions(self.api, name, space) if each.revision == revision)
        self._roll(target.manifest(), space)
        self._record(name, space, target.manifest(), "deployed", f"Rollback to {revision}", target.labels)

    def uninstall(self, name: str, space: str, **_: Any) -> bool:
        for key in [key for key in self.api.objects if key[1] == space]:
            del self.api.objects[key]
        return True

    def _record(
        self,
        name: str,
        space: str,
        objects: Sequence[Object],
        status: str,
        description: str,
        labels: Mapping[str, str],
    ) -> None:
        kept = revisions(self.api, name, space)
        if status == "deployed":
            for each in kept:
                if each.status == "deployed":
                    self.api.put(_relabelled(self.api, each, space, "superseded"))
        number = kept[-1].revision + 1 if kept else 1
        self.api.put(
            running.release_secret(
                name,
                space,
                revision=number,
                status=status,
                digest=labels.get("todo.runbook/release-digest", ""),
                objects=objects,
                description=description,
            )
        )

    def _roll(self, wanted: Sequence[Object], space: str) -> bool:
        """Apply the objects; whether a pod of theirs cannot run."""
        broken = False
        if self.deaf and any(key[0] == "Deployment" and key[1] == space for key in self.api.objects):
            return False
        kept = {(each["kind"], each["metadata"]["name"]) for each in wanted}
        for kind, where, name in list(self.api.objects):
            if where == space and kind in ("Deployment", "PodDisruptionBudget") and (kind, name) not in kept:
                del self.api.objects[kind, where, name]
        for each in wanted:
            live = copy.deepcopy(each)
            if each["kind"] == "Deployment":
                replicas = int(each["spec"]["replicas"])
                keys = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
                live["metadata"]["generation"] = 1
                live["status"] = {"observedGeneration": 1, **dict.fromkeys(keys, replicas)}
                broken |= self._pods(each, space)
            self.api.put(live)
        return broken

    def _pods(self, deployment: Object, space: str) -> bool:
        component = next((each for each in COMPONENTS if each.name == deployment["metadata"]["name"]), None)
        if component is None:
            return False
        template, replicas = deployment["spec"]["template"], int(deployment["spec"]["replicas"])
        there = self.api.list("Pod", space, labels=f"app.kubernetes.io/name={component.name}")
        for each in there:
            if "broken" in each["metadata"]["name"]:
                del self.api.objects["Pod", space, each["metadata"]["name"]]
        same = [each for each in there if each.get("made from") == template]
        if len(same) == replicas:
            return False
        container = template["spec"]["containers"][0]
        pod = _pod(component, template, self.cluster.images.get(container["image"], ""), space)
        if container["image"] not in self.cluster.images:
            pod["metadata"]["name"] = f"{component.name}-broken"
            self.api.put(running.waiting(pod, "ErrImageNeverPull", "the image is not present"))
            return True
        if container["readinessProbe"] == "/nowhere":
            pod["metadata"]["name"] = f"{component.name}-broken"
            self.api.put(running.waiting(pod, "ContainerCreating"))
            return True
        for each in there:
            self.api.objects.pop(("Pod", space, each["metadata"]["name"]), None)
        for _ in range(replicas):
            self.api.put(_pod(component, template, self.cluster.images[container["image"]], space))
        return False


class Place:
    """The application deployed, with all that the drills ask."""

    def __init__(self) -> None:
        self.settings = Settings(project=PROJECT)
        self.api, self.cluster = FakeApi(), Cluster()
        self.helm, self.engine = Helm(self.api, self.cluster), Engine(self.cluster)
        self.load = LoadResult({"the page": [0.1] * 50})
        self.world = world_of(
            self.settings,
            api=self.api,
            helm=self.helm,
            cluster=self.cluster,
            docker=self.engine,
            database=SimpleNamespace(refusal=lambda _: ""),
        )
        release.deploy(self.world)

    @contextmanager
    def watched(self, _: Any) -> Any:
        yield self.load

    def history(self) -> list[tuple[int, str, str]]:
        kept = revisions(self.api, "todo-app", "todo")
        return [(each.revision, each.status, each.description()) for each in kept]


def _objects(values: Mapping[str, Any], space: str) -> list[Object]:
    found: list[Object] = []
    for component in COMPONENTS:
        own = values.get(component.name) or {}
        if own.get("enabled") is False:
            continue
        made = running.deployment(component)
        made.pop("status")
        made["metadata"] = {"name": component.name, "namespace": space, "labels": running.labels(component)}
        tag = (values.get("global") or {}).get("imageTag", "1.0.0")
        container = {
            "name": component.name,
            "image": f"{(own.get('image') or {}).get('repository', component.image)}:{tag}",
            "readinessProbe": (own.get("probes") or {}).get("readiness", component.health),
        }
        metadata = {"annotations": dict(own.get("podAnnotations") or {})}
        made["spec"] = {
            "replicas": own.get("replicaCount", 1),
            "template": {"metadata": metadata, "spec": {"containers": [container]}},
        }
        found.append(made)
        if made["spec"]["replicas"] > 1:
            found.append({"kind": "PodDisruptionBudget", "metadata": dict(made["metadata"]), "spec": {}})
    return found


def _stand_in(name: str, space: str) -> Object:
    made = running.deployment(COMPONENTS[0])
    made["metadata"] |= {"name": name, "namespace": space, "labels": {}}
    made["spec"] = {"replicas": 1, "template": {}}
    return made


def _pod(component: Component, template: Object, image_id: str, space: str) -> Object:
    number = next(SERIAL)
    made = running.pod(component)
    made["made from"] = copy.deepcopy(template)
    made["metadata"] |= {
        "name": f"{component.name}-{number}",
        "namespace": space,
        "uid": f"uid-{number}",
        "annotations": dict(template["metadata"]["annotations"]),
    }
    made["spec"]["containers"][0]["image"] = template["spec"]["containers"][0]["image"]
    made["status"]["containerStatuses"][0]["imageID"] = image_id
    return made


def _relabelled(api: FakeApi, revision: Revision, space: str, status: str) -> Object:
    record = api.objects["Secret", space, f"sh.helm.release.v1.{revision.name}.v{revision.revision}"]
    record["metadata"]["labels"]["status"] = status
    return record
