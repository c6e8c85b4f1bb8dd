"""Scratch pods: the backend's pod without its work, with one thing wrong. No Service leads to them, nothing is rolled.

Where the namespace refuses such a pod, its standard is lifted for the moment of the creation: pods that are there are
not judged again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND
from runbook.clients.kube import workloads
from runbook.clients.kube.transport import Refused
from runbook.clients.process.ending import undisturbed
from runbook.engine.waiting import NotYet, Sight, Subject, eventually, watching
from runbook.faults import Mutant
from runbook.faults.planting import MARK, Hands

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "mutant"
ENFORCE = "pod-security.kubernetes.io/enforce"
STARTED = 60.0
LIFTED = 10.0
ASLEEP = "import signal; signal.signal(signal.SIGTERM, lambda *_: exit()); signal.pause()"

Pod = dict[str, Any]
Change = Callable[[Pod], None]


def pod_mutant(
    name: str,
    reds: set[str],
    change: Change,
    *,
    refused: bool = False,
    then: Callable[[Hands, Pod], None] | None = None,
) -> Mutant:
    """A scratch pod with that change; `refused`: the restricted standard does not admit it; `then`: once it runs."""

    def plant(hands: Hands) -> None:
        namespace = hands.world.settings.namespace
        pod = scratch(hands)
        change(pod)
        if refused:
            with _lifted(hands, namespace):
                _admitted(hands, pod)
        else:
            hands.create(pod)
        _running(hands, namespace)
        if then is not None:
            then(hands, pod)
            _running(hands, namespace)

    def undo(hands: Hands) -> None:
        hands.remove(("Pod", NAME, hands.world.settings.namespace))

    return Mutant(name, frozenset(reds), plant, undo=undo)


def scratch(hands: Hands) -> Pod:
    """A pod that keeps to everything: image, security context, limits and account are the backend's."""
    namespace = hands.world.settings.namespace
    template = hands.read(("Deployment", BACKEND.name, namespace))["spec"]["template"]["spec"]
    like = next(each for each in template["containers"] if each["name"] == BACKEND.name)
    kept = ("image", "imagePullPolicy", "securityContext", "resources")
    container = {key: copy.deepcopy(like[key]) for key in kept if key in like}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "namespace": namespace, "labels": {"app.kubernetes.io/name": NAME}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "serviceAccountName": template.get("serviceAccountName", "default"),
            "securityContext": copy.deepcopy(template.get("securityContext") or {}),
            "containers": [
                {
                    "name": NAME,
                    **container,
                    "command": ["python3", "-c", ASLEEP],
                    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
                }
            ],
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Mi"}}],
        },
    }


def context(**fields: Any) -> Change:
    """Other fields in the container's security context."""

    def change(pod: Pod) -> None:
        container(pod)["securityContext"].update(fields)

    return change


def spec(**fields: Any) -> Change:
    """Other fields in the pod's specification."""

    def change(pod: Pod) -> None:
        pod["spec"].update(fields)

    return change


def debugged(**fields: Any) -> Callable[[Hands, Pod], None]:
    """An ephemeral container beside the pod's own, like it but for these fields of its security context."""

    def then(hands: Hands, pod: Pod) -> None:
        like = copy.deepcopy(container(pod))
        like.pop("resources", None)  # the API lets it have none
        like["name"] = "debug"
        like["securityContext"].update(fields)
        hands.patch(
            ("Pod", f"{NAME}/ephemeralcontainers", pod["metadata"]["namespace"]),
            {"op": "add", "path": "/spec/ephemeralContainers", "value": [like]},
        )

    return then


def resized(memory: str) -> Callable[[Hands, Pod], None]:
    """Other memory declared for the running pod."""

    def then(hands: Hands, pod: Pod) -> None:
        hands.patch(
            ("Pod", f"{NAME}/resize", pod["metadata"]["namespace"]),
            *(
                {"op": "replace", "path": f"/spec/containers/0/resources/{kind}/memory", "value": memory}
                for kind in ("requests", "limits")
            ),
        )

    return then


def container(pod: Pod) -> dict[str, Any]:
    found: dict[str, Any] = pod["spec"]["containers"][0]
    return found


@contextmanager
def _lifted(hands: Hands, namespace: str) -> Iterator[None]:
    """The namespace takes any pod, for this moment."""
    thing = ("Namespace", namespace, "")
    path = f"/metadata/labels/{ENFORCE.replace('/', '~1')}"
    level = hands.read(thing)["metadata"]["labels"][ENFORCE]
    try:
        hands.patch(thing, {"op": "replace", "path": path, "value": "privileged"})
        yield
    finally:
        with undisturbed():
            hands.patch(thing, {"op": "replace", "path": path, "value": level})


def _admitted(hands: Hands, pod: Pod) -> None:
    """The API server learns a moment late that the standard is lifted."""

    def create() -> None:
        try:
            hands.create(pod)
        except Refused as refusal:
            if "PodSecurity" in refusal.observed:
                raise NotYet(refusal.observed) from None
            raise

    eventually(create, timeout=LIFTED, every=0.05, wanted="a pod that the lifted standard admits")


def _running(hands: Hands, namespace: str) -> None:
    """Until all of its containers run: before that its process cannot be looked at."""
    subject = Subject("Pod", namespace, labels=MARK)

    def judge(sight: Sight) -> None:
        for pod in sight[subject]:
            states: list[Mapping[str, Any]] = list(workloads.containers(pod).values())
            told = (pod.get("status") or {}).get("ephemeralContainerStatuses") or []
            debuggers = len(pod["spec"].get("ephemeralContainers") or [])
            running = ["running" in (each.get("state") or {}) for each in [*states, *told]]
            if not all(running) or len(told) < debuggers:
                raise NotYet(workloads.pod_problem(pod) or "it does not run yet")
        if not sight[subject]:
            raise NotYet("it is not there yet")

    watching(
        hands.world.api,
        [subject],
        judge,
        timeout=STARTED,
        wanted=f"pod {NAME} running",
        hint=f"kubectl --namespace {namespace} describe pod {NAME}",
        stopping=hands.world.stopping,
    )
