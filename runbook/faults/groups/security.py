"""Mutants of least rights, locked-down containers and enforced standards."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from runbook import catalogue
from runbook.actions.package import release
from runbook.app.application import BACKEND, FRONTEND
from runbook.engine.settings import Settings
from runbook.faults import Group, Mutant
from runbook.faults.planting import Hands, Object
from runbook.faults.pods import ENFORCE, Pod, container, context, debugged, pod_mutant, resized, spec

RBAC = "rbac.authorization.k8s.io"
PLANTED = "mutant"
TEMPLATE = "/spec/template/spec"


def _patched(name: str, reds: set[str], thing: Object, *operations: tuple[str, str, Any]) -> Mutant:
    """An object changed by JSON patch operations."""

    def plant(hands: Hands) -> None:
        steps = [
            {"op": op, "path": path} | ({} if op == "remove" else {"value": value})
            for op, path, value in operations
        ]
        hands.patch(thing, *steps)

    return Mutant(name, frozenset(reds), plant, objects=(thing,))


def _rolled_out(name: str, reds: set[str], thing: Object, *operations: tuple[str, str, Any]) -> Mutant:
    """As `_patched`, and waited for until its pods run, and again until those before do."""
    changed = _patched(name, reds, thing, *operations)

    def plant(hands: Hands) -> None:
        changed.plant(hands)
        release.wait(hands.world)

    return replace(changed, plant=plant, undo=lambda hands: release.wait(hands.world))


def _deleted(name: str, reds: set[str], thing: Object) -> Mutant:
    return Mutant(name, frozenset(reds), lambda hands: hands.remove(thing), objects=(thing,))


def _made(name: str, reds: set[str], manifest: Mapping[str, Any]) -> Mutant:
    """An object besides those of the release."""
    metadata = manifest["metadata"]
    thing = (str(manifest["kind"]), str(metadata["name"]), str(metadata.get("namespace", "")))
    return Mutant(
        name, frozenset(reds), lambda hands: hands.create(manifest), undo=lambda hands: hands.remove(thing)
    )


def _binding(kind: str, role: str, space: str, *subjects: Mapping[str, str]) -> dict[str, Any]:
    place = {} if kind == "ClusterRoleBinding" else {"namespace": space}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": kind,
        "metadata": {"name": PLANTED, **place},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": list(subjects),
    }


def _account(name: str, space: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": name, "namespace": space}


def _rules(*rules: tuple[Sequence[str], Sequence[str], Sequence[str]]) -> list[dict[str, list[str]]]:
    return [
        {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}
        for groups, resources, verbs in rules
    ]


def _resources(change: Callable[[dict[str, Any]], None]) -> Callable[[Pod], None]:
    return lambda pod: change(container(pod)["resources"])


def _no_ephemeral_storage(resources: dict[str, Any]) -> None:
    for kind in ("requests", "limits"):
        resources[kind].pop("ephemeral-storage", None)


def _early(change: Callable[[dict[str, Any]], None]) -> Callable[[Pod], None]:
    """An init container like the pod's own, with one change."""

    def planted(pod: Pod) -> None:
        early = copy.deepcopy(container(pod)) | {"name": "early", "command": ["python3", "-c", "pass"]}
        change(early)
        pod["spec"]["initContainers"] = [early]

    return planted


def _host_path(pod: Pod) -> None:
    pod["spec"]["volumes"].append({"name": "node", "hostPath": {"path": "/etc"}})


def _projected_token(pod: Pod) -> None:
    """What automounting does, by hand."""
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}
    pod["spec"]["volumes"].append({"name": "token", "projected": {"sources": [source]}})
    mount = {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    container(pod)["volumeMounts"].append(mount)


STANDARD = f"/metadata/labels/{ENFORCE.replace('/', '~1')}"
PODS = (
    pod_mutant("control: a pod that keeps to everything", set(), lambda _pod: None),
    pod_mutant("another user than 1000", {"T073"}, context(runAsUser=1001)),
    pod_mutant("the group of root", {"T073"}, context(runAsGroup=0)),
    pod_mutant("the user root", {"T072", "T073"}, context(runAsUser=0, runAsNonRoot=False), refused=True),
    pod_mutant("no limits", {"T075"}, _resources(lambda resources: resources.pop("limits"))),
    pod_mutant("no ephemeral storage declared", {"T075"}, _resources(_no_ephemeral_storage)),
    pod_mutant("an init container without limits", {"T075"}, _early(lambda early: early.pop("resources"))),
    pod_mutant(
        "an init container with a writable root",
        {"T072"},
        _early(lambda early: early["securityContext"].update(readOnlyRootFilesystem=False)),
    ),
    pod_mutant(
        "an ephemeral container as another user", {"T073"}, lambda _pod: None, then=debugged(runAsUser=1001)
    ),
    # More than any node has: the kubelet leaves the control group as it is, so that only the process shows it.
    pod_mutant(
        "more declared than the control group allows", {"T075"}, lambda _pod: None, then=resized("64Ti")
    ),
    pod_mutant("a writable root", {"T072"}, context(readOnlyRootFilesystem=False)),
    pod_mutant(
        "a capability added",
        {"T072", "T074"},
        context(capabilities={"drop": ["ALL"], "add": ["NET_RAW"]}),
        refused=True,
    ),
    pod_mutant("capabilities kept", {"T072", "T074"}, context(capabilities={}), refused=True),
    pod_mutant(
        "privilege escalation allowed", {"T072", "T074"}, context(allowPrivilegeEscalation=True), refused=True
    ),
    pod_mutant(
        "a privileged container",
        {"T072", "T074"},
        context(privileged=True, allowPrivilegeEscalation=True),
        refused=True,
    ),
    pod_mutant("no seccomp filter", {"T072"}, context(seccompProfile={"type": "Unconfined"}), refused=True),
    pod_mutant("a folder of the node", {"T072"}, _host_path, refused=True),
    pod_mutant("the node's IPC", {"T072"}, spec(hostIPC=True), refused=True),
    pod_mutant("the account default", {"T076"}, spec(serviceAccountName="default")),
    pod_mutant("a token mounted", {"T076"}, spec(automountServiceAccountToken=True)),
    pod_mutant("a token mounted by hand", {"T076"}, _projected_token),
)


def _objects(space: str) -> tuple[Mutant, ...]:
    role: Object = ("Role", BACKEND.name, space)
    account: Object = ("ServiceAccount", "backend-sa", space)
    deny: Object = ("NetworkPolicy", "default-deny", space)
    way: Object = ("NetworkPolicy", "backend-from-frontend", space)
    front: Object = ("Deployment", FRONTEND.name, space)
    back: Object = ("Deployment", BACKEND.name, space)
    whole: Object = ("Namespace", space, "")
    return (
        _patched(
            "a role with wildcards",
            {"T059", "T071", "T076"},
            role,
            ("replace", "/rules", _rules((["*"], ["*"], ["*"]))),
        ),
        _patched(
            "a role that lists Secrets",
            {"T059", "T071", "T076"},
            role,
            ("replace", "/rules", _rules(([""], ["secrets"], ["list"]))),
        ),
        _made(
            "an extra binding",
            {"T071", "T076"},
            _binding("RoleBinding", "view", space, _account("backend-sa", space)),
        ),
        _made(
            "an account made administrator of the cluster",
            {"T076"},
            _binding("ClusterRoleBinding", "cluster-admin", space, _account("frontend-sa", space)),
        ),
        _made(
            "rights for every account of the namespace",
            {"T071", "T076"},
            _binding(
                "RoleBinding",
                "edit",
                space,
                {"apiGroup": RBAC, "kind": "Group", "name": f"system:serviceaccounts:{space}"},
            ),
        ),
        _made(
            "rights for the account default",
            {"T071", "T076"},
            _binding("RoleBinding", "view", space, _account("default", space)),
        ),
        _patched(
            "an account that hands out its token",
            {"T058", "T071", "T076"},
            account,
            ("replace", "/automountServiceAccountToken", True),
        ),
        _deleted("an account deleted", {"T058", "T071", "T076"}, account),
        _deleted("default-deny deleted", {"T067", "T071", "T077"}, deny),
        _patched(
            "a typing error in a policy's selector",
            {"T068", "T071", "T077"},
            way,
            ("replace", "/spec/podSelector/matchLabels/app.kubernetes.io~1name", "backed"),
        ),
        _made(
            "a policy that allows everything",
            {"T071"},
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": PLANTED, "namespace": space},
                "spec": {
                    "podSelector": {},
                    "policyTypes": ["Ingress", "Egress"],
                    "ingress": [{}],
                    "egress": [{}],
                },
            },
        ),
        _patched("the namespace's standard removed", {"T071", "T074"}, whole, ("remove", STANDARD, None)),
        _patched(
            "the namespace's standard weakened", {"T071", "T074"}, whole, ("replace", STANDARD, "baseline")
        ),
        _patched(
            "the standard's version not pinned",
            {"T071", "T074"},
            whole,
            ("replace", f"{STANDARD}-version", "latest"),
        ),
        _patched(
            "the tag latest in a Deployment",
            {"T071"},
            back,
            ("add", "/spec/paused", True),  # no pod is rolled to an image that is not there
            ("replace", f"{TEMPLATE}/containers/0/image", "todo-backend:latest"),
        ),
        _rolled_out(
            "a Deployment rolled out as another user",
            {"T071", "T073"},
            front,
            ("replace", f"{TEMPLATE}/containers/0/securityContext/runAsUser", 1001),
        ),
    )


def group(settings: Settings) -> Group:
    """All of them, with the steps that look at rights and processes; T077 tries traffic, so that few ask it."""
    asked = (step.id for step in catalogue.STEPS if "T055" <= step.id <= "T076" and step.check is not None)
    return Group(
        "security",
        tuple(asked),
        (*PODS, *_objects(settings.namespace)),
        makes=("Pod", "RoleBinding", "ClusterRoleBinding", "NetworkPolicy"),
    )
