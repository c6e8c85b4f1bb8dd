"""What runs on the node from the start: DNS, network policies, storage; and the ingress controller.

Every object carries the digest of its add-on: one that says so already is not written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from runbook.clients.kube.api import FIELD_MANAGER
from runbook.cluster import Progress
from runbook.cluster.embedded.configuration import API_PORT, QUEUE, Configuration, render
from runbook.engine.errors import Foreign
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, Sight, Subject, watching
from runbook.ownership import installation

if TYPE_CHECKING:
    from runbook.clients.kube.api import Api

BASE = ("storage", "network-policies", "dns")
INGRESS = ("ingress",)
NEEDED = {"DNS": "kube-dns", "the engine of network policies": "kube-network-policies"}
"""Whose pods the node cannot do without, and their label `k8s-app`."""

DIGEST = "todo.runbook/digest"
INGRESS_NAMESPACE = "ingress-nginx"
READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Served:
    """The namespace whose Ingress objects are served; without its `uid` it is not there yet."""

    name: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class ApiServer:
    """Where the API server answers, as a pod reaches it."""

    address: str
    port: int


DEFAULT = Served("default")


def manifests(
    names: Sequence[str],
    configuration: Configuration,
    images: Mapping[str, str],
    served: Served = DEFAULT,
) -> list[dict[str, Any]]:
    """The objects of these add-ons, in the order in which they are to be applied, each marked with its digest."""
    found: list[dict[str, Any]] = []
    for name in names:
        text = render(
            f"addons/{name}.yaml",
            name=configuration.name,
            addresses=configuration.addresses,
            images=images,
            queue=QUEUE,
            api_servers=[ApiServer(configuration.addresses.node, API_PORT)],
            served=served,
            host_port=False,
            https=False,
            name_servers=configuration.name_servers,
        )
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        for manifest in filter(None, yaml.safe_load_all(text)):
            manifest["metadata"].setdefault("annotations", {})[DIGEST] = digest
            if template := manifest.get("spec", {}).get(
                "template"
            ):  # new pods where what they read has changed
                template["metadata"].setdefault("annotations", {})[DIGEST] = digest
            found.append(manifest)
    return found


def apply(api: Api, settings: Settings, wanted: Sequence[Mapping[str, Any]]) -> int:
    """Have these objects, each with our id from its creation on; returns how many had to be written.

    Raises `Foreign`, with nothing written, where one of them is somebody else's.
    """
    there = [
        api.get(each["kind"], each["metadata"]["name"], each["metadata"].get("namespace")) for each in wanted
    ]
    for live in there:
        if live is not None and not installation.owns(settings, live) and not _of_an_older_version(live):
            raise Foreign(
                f"{live['kind']} {live['metadata']['name']} {installation.whose(live)}; it was left as it is",
                wanted="one of ours, or none of that name",
                hint="whoever owns it moves it away, then again; or another cluster: TODO_CLUSTER_NAME=<another name>",
            )
    written = 0
    for manifest, live in zip(wanted, there, strict=True):
        metadata = manifest["metadata"]
        digest = ((live or {}).get("metadata", {}).get("annotations") or {}).get(DIGEST)
        if digest != metadata["annotations"][DIGEST]:
            # An apply takes away what it leaves out; what has no id gets none: that is written at creation alone.
            marks = installation.labels(settings) if live is None or installation.owns(settings, live) else {}
            same = {"uid": live["metadata"]["uid"]} if live else {}  # that very one, and no other of its name
            labels = {**(metadata.get("labels") or {}), **marks}
            api.apply({**manifest, "metadata": {**metadata, **same, "labels": labels}})
            written += 1
    return written


def _of_an_older_version(live: Mapping[str, Any]) -> bool:
    """Made by this program before it wrote ids: its digest is there, and nobody's id."""
    metadata = live["metadata"]
    managers = {str(each.get("manager", "")) for each in metadata.get("managedFields") or []}
    marked = DIGEST in (metadata.get("annotations") or {}) and FIELD_MANAGER in managers
    return marked and not installation.owner(live)


def wait_for_pods(
    api: Api,
    wanted: Sequence[Mapping[str, Any]],
    since: str,
    progress: Progress,
    seconds: float = READY_SECONDS,
) -> None:
    """Until each workload of `wanted` has a Ready pod of its present template whose containers run since `since`.

    `since` (RFC 3339, UTC) tells a pod that runs now from one that ran before the node was restarted.
    """
    workloads = [manifest for manifest in wanted if manifest["kind"] in ("Deployment", "DaemonSet")]
    subjects = {
        manifest["metadata"]["name"]: Subject(
            "Pod",
            manifest["metadata"]["namespace"],
            labels=",".join(f"{k}={v}" for k, v in manifest["spec"]["selector"]["matchLabels"].items()),
        )
        for manifest in workloads
    }
    digests = {m["metadata"]["name"]: m["metadata"]["annotations"][DIGEST] for m in workloads}

    def judge(sight: Sight) -> None:
        for name, subject in subjects.items():
            reasons = [pod_problem(pod, digests[name], since) for pod in sight[subject]]
            if not reasons or all(reasons):
                raise NotYet(f"{name}: {reasons[0] if reasons else 'no pod yet'}")

    if subjects:
        watching(
            api,
            list(subjects.values()),
            judge,
            timeout=seconds,
            wanted=f"Ready pods of {', '.join(subjects)}",
            hint="inv cluster.status",
            progress=progress,
        )


def pod_problem(pod: Mapping[str, Any], digest: str, since: str) -> str:
    """What keeps this pod from counting as Ready, now and as configured; empty when nothing does.

    An empty `digest` or `since` is not asked for.
    """
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp"):
        return "its pod is being removed"
    if digest and (pod["metadata"].get("annotations") or {}).get(DIGEST) != digest:
        return "its pod has an older configuration"
    for container in status.get("containerStatuses", []):
        state = container.get("state", {})
        if "waiting" in state:
            return f"waiting: {state['waiting'].get('reason', 'unknown')}"
        if state.get("running", {}).get("startedAt", "") < since:
            return "its container has not been started again yet"
    conditions = {condition["type"]: condition for condition in status.get("conditions", [])}
    ready = conditions.get("Ready", {})
    return "" if ready.get("status") == "True" else f"{status.get('phase', 'Pending')}, not Ready"
