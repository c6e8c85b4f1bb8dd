"""Faults of phase 3: the cluster, the release on it, and the way of a message; images in a copy.

What each template claims is the group `claims`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runbook import catalogue
from runbook.actions.cluster import rollout
from runbook.actions.package import release
from runbook.actions.web import hosts
from runbook.app import image_specs
from runbook.app.application import (
    BACKEND,
    FRONTEND,
    INGRESS_CLASS,
    MCP_SERVER,
    MODEL_NAMESPACE,
    MODEL_RELEASE,
)
from runbook.checks.cluster.pods import fingerprint
from runbook.clients.kube import workloads
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually
from runbook.faults import Group, Mutant
from runbook.faults.copies import in_copy
from runbook.faults.groups.foundation import of_image, of_recipes
from runbook.faults.planting import Hands, Object
from runbook.probes import conversation

if TYPE_CHECKING:
    from runbook.world import World

CONTAINER = "/spec/template/spec/containers/0"
DNS: Object = ("Deployment", "coredns", "kube-system")
CLASS: Object = ("IngressClass", INGRESS_CLASS, "")
MODEL: Object = ("Deployment", MODEL_RELEASE, MODEL_NAMESPACE)
DRIFTED = "the release says"
FILES = ("T034", "T035", "T036", "T037")
DRILLED = 180.0
STARVED = "20m"
"""CPU with which a page is rendered, and its scripts sent, in no three seconds."""

WITHOUT_CALLS = r"""
import os
r, w = os.pipe()
if os.fork():
    os.dup2(w, 1); os.close(r); os.execvp('todo-backend', ['todo-backend'])
os.close(w)
for line in os.fdopen(r, 'rb'):
    if b'mcp_tool_call' not in line: os.write(1, line)
"""
"""The backend, but for some lines of its log."""


def group(settings: Settings) -> Group:
    """All of them, with the steps of the phase that are no drills; the browser comes only where it must be red."""
    asked = [
        step.id
        for step in catalogue.STEPS
        if "T025" <= step.id <= "T051" and not step.drill and step.id not in FILES
    ]
    mutants = (
        *of_recipes(image_specs.MCP_SERVER, "T034", "T035", "T036"),
        *of_image(image_specs.MCP_SERVER, image_specs.FRONTEND, "T036", "T037"),
        *_of_the_cluster(),
        *_of_the_release(settings.namespace),
        *_of_a_message(settings.namespace),
    )
    return Group("deployment", (*FILES, *asked), mutants, makes=("IngressClass",), files=FILES)


def _of_the_cluster() -> tuple[Mutant, ...]:
    return (
        in_copy(
            "a node of one CPU and 1 GB",
            "T043",
            lambda copy: copy.answering("api", list=_small(copy.world)),
            "has 1 CPU and 1Gi of memory",
        ),
        Mutant("no DNS", frozenset({"T043"}), _without_dns, objects=(DNS,), patience=90.0, cause="DNS"),
        Mutant(
            "no ingress class",
            frozenset({"T044", "T051"}),
            lambda hands: hands.remove(CLASS),
            objects=(CLASS,),
            patience=90.0,
            cause=f"there is no IngressClass {INGRESS_CLASS}|answered 404",
        ),
        in_copy(
            "a build engine that is not the cluster's",
            "T045",
            lambda copy: copy.answering("docker", engine=_strange_engine),
            "we build on somewhere-else",
        ),
        in_copy(
            "images that no node holds",
            "T046",
            lambda copy: copy.retag(image_specs.BACKEND, image_specs.BACKEND),
            r"todo-backend:\S+-planted",
        ),
        Mutant(
            "a name that is not known",
            frozenset({"T047"}),
            lambda hands: hosts.remove(hands.world.settings),
            undo=lambda hands: hosts.enter(hands.world),
            cause="not known|resolves",
        ),
    )


def _of_the_release(space: str) -> tuple[Mutant, ...]:
    server: Object = ("Deployment", MCP_SERVER.name, space)
    service: Object = ("Service", BACKEND.service, space)
    return (
        Mutant(
            "more replicas than the release says",
            frozenset({"T048"}),
            lambda hands: hands.patch(server, {"op": "replace", "path": "/spec/replicas", "value": 2}),
            objects=(server,),
            settles=60.0,
            cause=r"spec\.replicas is 2",
        ),
        Mutant(
            "an image that no node has",
            frozenset({"T048", "T049"}),
            lambda hands: hands.patch(
                server, {"op": "replace", "path": f"{CONTAINER}/image", "value": "todo-mcp-server:9.9.9"}
            ),
            objects=(server,),
            patience=90.0,
            cause=f"ErrImageNeverPull|ImagePullBackOff|ErrImagePull|{DRIFTED}",
        ),
        _patched(
            "a Service that leads to another port",
            {"T033", "T048", "T050"},
            service,
            f"9999|{DRIFTED}",
            {"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9999},
        ),
    )


def _of_a_message(space: str) -> tuple[Mutant, ...]:
    backend: Object = ("Deployment", BACKEND.name, space)
    return (
        Mutant(
            "a frontend that is starved of CPU",
            frozenset({"T052"}),
            lambda hands: _resized(hands, STARVED),
            undo=lambda hands: _resized(hands, ""),
            patience=DRILLED,
            settles=60.0,
            cause="the page took|did not load",
        ),
        Mutant(
            "no model",
            frozenset({"T053"}),
            _without_model,
            objects=(MODEL,),
            undo=lambda hands: rollout.settle(
                hands.world, MODEL_NAMESPACE, names=(MODEL_RELEASE,), timeout=DRILLED
            ),
            patience=DRILLED,
            cause="the message was answered 5|the answer took|waiting for the answer",
        ),
        Mutant(
            "tool calls missing from the backend's log",
            frozenset({"T048", "T054"}),
            lambda hands: _silent_about_calls(hands, backend),
            objects=(backend,),
            undo=lambda hands: release.wait(hands.world),
            patience=DRILLED,
            cause=f"the backend's log has no call of add_task|{DRIFTED}",
        ),
    )


def _patched(name: str, reds: set[str], thing: Object, cause: str, *operations: dict[str, Any]) -> Mutant:
    return Mutant(
        name,
        frozenset(reds),
        lambda hands: hands.patch(thing, *operations),
        objects=(thing,),
        cause=cause,
        patience=30.0,
    )


def _strange_engine() -> Any:
    from runbook.clients.docker import EngineFacts

    return EngineFacts("tcp://somewhere-else:2375", "somewhere-else", "0", "28.2.2")


def _small(world: World) -> Any:
    """The objects of the API, but for what its nodes have."""
    asked = world.api.list

    def listed(kind: str, *where: Any, **more: Any) -> list[dict[str, Any]]:
        found = asked(kind, *where, **more)
        if kind != "Node":
            return found
        small = {"cpu": "1", "memory": "1Gi"}
        return [
            {**node, "status": {**node["status"], "capacity": {**node["status"]["capacity"], **small}}}
            for node in found
        ]

    return listed


def _without_dns(hands: Hands) -> None:
    hands.patch(DNS, {"op": "replace", "path": "/spec/replicas", "value": 0})


def _without_model(hands: Hands) -> None:
    hands.patch(MODEL, {"op": "replace", "path": "/spec/replicas", "value": 0})

    def gone() -> None:
        if hands.world.api.list("Pod", MODEL_NAMESPACE):
            raise NotYet("a pod of the model is still there")

    eventually(gone, timeout=DRILLED, every=0.2, wanted="no model")


def _resized(hands: Hands, cpu: str) -> None:
    """Other CPU for the running pods, which the kubelet changes in place; empty: what their Deployment says."""
    world = hands.world
    space = world.settings.namespace
    template = hands.read(("Deployment", FRONTEND.name, space))["spec"]["template"]["spec"]
    own = next(each for each in template["containers"] if each["name"] == FRONTEND.name)["resources"]
    for pod in world.api.list("Pod", space, labels=f"app.kubernetes.io/name={FRONTEND.name}"):
        number = [each["name"] for each in pod["spec"]["containers"]].index(FRONTEND.name)
        world.api.patch(
            "Pod",
            f"{workloads.name(pod)}/resize",
            space,
            [
                {
                    "op": "replace",
                    "path": f"/spec/containers/{number}/resources/{kind}/cpu",
                    "value": cpu or own[kind]["cpu"],
                }
                for kind in ("requests", "limits")
            ],
        )


def _silent_about_calls(hands: Hands, backend: Object) -> None:
    """And a conversation with it, which the step looks for."""
    command = ["python3", "-c", WITHOUT_CALLS]
    hands.patch(backend, {"op": "add", "path": f"{CONTAINER}/command", "value": command})
    rollout.settle(hands.world, backend[2], names=(backend[1],), timeout=DRILLED)
    hands.world.clients.memory.forget()
    conversation.hold(hands.world, fingerprint(hands.world))
