"""A secured application as a fake cluster shows it, to be broken by tests one field at a time."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from runbook.app.application import COMPONENTS
from runbook.checks.security.access import CONTROL, DECLARED, user_of
from runbook.clients.kube.reviews import Admission, Right
from runbook.clients.process.commands import CommandResult
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, Object, world_of

FIGURES = {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "64Mi"}
SECURITY: Object = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
LABELS = {
    f"pod-security.kubernetes.io/{mode}{suffix}": value
    for mode in ("enforce", "audit", "warn")
    for suffix, value in (("", "restricted"), ("-version", "v1.35"))
}
SAID = {
    "Uid": "1000 1000 1000 1000",
    "Gid": "1000 1000 1000 1000",
    "CapInh": "0",
    "CapPrm": "0",
    "CapEff": "0",
    "CapBnd": "0",
    "CapAmb": "0",
    "NoNewPrivs": "1",
    "Seccomp": "2",
    "Token": "no",
    "Memory": str(256 * 1024 * 1024),
    "Quota": "50000",
    "Period": "100000",
}
"""What a look into a good container says, but for the writes."""

REFUSAL = 'pods "x" is forbidden: violates PodSecurity "restricted:v1.35": privileged'


def said(facts: Mapping[str, str], folders: Sequence[str], writes: Mapping[str, str]) -> str:
    lines = [f"{key}:\t{value}" for key, value in facts.items()]
    results = {folder: "EROFS" if folder == "/" else "written" for folder in folders} | dict(writes)
    return "\n".join([*lines, *(f"Write:\t{result} {folder}" for folder, result in results.items())])


class FakeReviews:
    """Grants what is declared, until a test gives more or takes some away."""

    def __init__(self) -> None:
        self.granted: dict[str, set[Right]] = {
            user_of(name, "todo"): set(rights) for name, rights in DECLARED.items()
        }
        self.administrator = True
        self.bad = Admission(accepted=False, words=REFUSAL)
        self.good = Admission(accepted=True, words="")
        self.warnings: dict[str, tuple[str, ...]] = {"kube-system": ("coredns: host namespaces",), "todo": ()}

    def allowed(self, right: Right, namespace: str, *, user: str = "", groups: Sequence[str] = ()) -> bool:
        if not user:
            return self.administrator and right == CONTROL
        return right in self.granted.get(user, set())

    def rights(self, user: str, namespace: str) -> set[Right]:
        own = Right("create", "authorization.k8s.io", "selfsubjectaccessreviews")
        return {own, *self.granted.get(user, set())}

    def admission(self, manifest: Mapping[str, Any]) -> Admission:
        context = manifest["spec"]["containers"][0]["securityContext"]
        return self.bad if context.get("privileged") else self.good

    def relabelled(self, namespace: str, labels: Mapping[str, str]) -> Admission:
        return Admission(accepted=True, words="", warnings=self.warnings[namespace])


class SecuredApi(FakeApi):
    """Every container answers a look as a good one, until a test says otherwise of it."""

    def __init__(self) -> None:
        super().__init__()
        self.reviews = FakeReviews()
        self.facts: dict[str, dict[str, str]] = {}
        self.writes: dict[str, dict[str, str]] = {}
        self.mute: set[str] = set()
        """Containers in which nothing can be started."""
        self.looks = 0

    def exec(self, pod: str, container: str, argv: Sequence[str], namespace: str, **_: Any) -> CommandResult:
        if container in self.mute or argv[0] != "sh":
            raise Unmeasurable(f"`{argv[0]}` could not be started: executable file not found in $PATH")
        self.looks += 1
        folders = argv[4:]
        text = said(SAID | self.facts.get(container, {}), folders, self.writes.get(container, {}))
        return CommandResult(text, "", 0)


def container(name: str) -> Object:
    return {
        "name": name,
        "image": f"todo-{name}:1.0.0",
        "securityContext": copy.deepcopy(SECURITY),
        "resources": {"requests": dict(FIGURES), "limits": dict(FIGURES)},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }


def pods() -> list[Object]:
    found = []
    for component in COMPONENTS:
        pod = running.pod(component)
        pod["spec"] = {
            "serviceAccountName": f"{component.name}-sa",
            "automountServiceAccountToken": False,
            "containers": [container(component.name)],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        }
        pod["status"]["containerStatuses"][0]["containerID"] = f"containerd://{component.name}"
        found.append(pod)
    return found


def secured() -> tuple[World, SecuredApi]:
    """The world and its API: three pods, their accounts, the namespace."""
    api = SecuredApi()
    api.put({"kind": "Namespace", "metadata": {"name": "todo", "labels": dict(LABELS)}})
    for pod in pods():
        api.put(pod)
    for name in (*DECLARED, "default"):
        account = {"kind": "ServiceAccount", "metadata": {"name": name, "namespace": "todo"}}
        api.put(account | {"automountServiceAccountToken": False})
    return world_of(Settings(), api=api, cluster=FakeCluster()), api


def backend(api: SecuredApi) -> Object:
    return api.objects["Pod", "todo", "backend-1"]


def own(api: SecuredApi) -> Object:
    """The backend's own container."""
    found: Object = backend(api)["spec"]["containers"][0]
    return found


def add(api: SecuredApi, place: str, name: str, **state: Any) -> Object:
    """Another container of the backend's pod, in initContainers or ephemeralContainers."""
    pod, extra = backend(api), container(name)
    pod["spec"].setdefault(place, []).append(extra)
    statuses = "initContainerStatuses" if place == "initContainers" else "ephemeralContainerStatuses"
    told = {"name": name, "containerID": f"containerd://{name}", "state": state or {"running": {}}}
    pod["status"].setdefault(statuses, []).append(told)
    return extra
