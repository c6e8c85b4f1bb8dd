"""Who may ask the Kubernetes API, and for what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runbook.manifests.documents import entries, fields
from runbook.manifests.item import Hit, shown
from runbook.manifests.rule import rule
from runbook.manifests.scene import Pod, Scene, Thing, kinds, pods

READING = frozenset({"get", "list", "watch", "*"})
WRITING = frozenset({"create", "update", "patch", "delete", "deletecollection", "*"})
ANY = frozenset({"*"})

POWERS: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = (
    ("take more rights than one's own", frozenset({"escalate", "bind"}), ANY),
    ("act as others", frozenset({"impersonate"}), ANY),
    (
        "run commands in pods",
        frozenset({"create", "get", "*"}),
        frozenset({"pods/exec", "pods/attach", "pods/portforward"}),
    ),
    ("add containers to pods", frozenset({"update", "patch", "*"}), frozenset({"pods/ephemeralcontainers"})),
    ("start pods, which may mount any Secret", frozenset({"create", "*"}), frozenset({"pods"})),
    ("ask the kubelet directly", frozenset({"get", "create", "*"}), frozenset({"nodes/proxy"})),
    (
        "change what enters the cluster",
        WRITING,
        frozenset({"validatingwebhookconfigurations", "mutatingwebhookconfigurations"}),
    ),
    (
        "sign certificates",
        WRITING,
        frozenset({"certificatesigningrequests/approval", "signers", "certificatesigningrequests/status"}),
    ),
    ("make tokens of accounts", frozenset({"create", "*"}), frozenset({"serviceaccounts/token"})),
    ("reach paths of nodes by volumes", frozenset({"create", "*"}), frozenset({"persistentvolumes"})),
    ("open the network", WRITING, frozenset({"networkpolicies"})),
    (
        "change rights",
        WRITING,
        frozenset({"roles", "rolebindings", "clusterroles", "clusterrolebindings"}),
    ),
)
"""What makes an account more than its application needs: verbs and resources; for verbs that are a power by
themselves, any resource."""

EVERYONE = frozenset(
    {
        "system:masters",
        "system:authenticated",
        "system:unauthenticated",
        "system:anonymous",
        "system:serviceaccounts",
    }
)
API_AUDIENCES = (None, "", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local")


@rule(
    "RBAC-01",
    "Every workload has an account of its own",
    over=pods,
    reason="Rights of a shared or the default account belong to all who use it.",
    remedy="make a ServiceAccount for the workload and name it in serviceAccountName",
)
def own_account(each: Pod) -> Iterator[Hit]:
    if each.spec.get("serviceAccount") and not each.spec.get("serviceAccountName"):
        yield each.hit("serviceAccount", f"{each.account}, by the deprecated field")
    if each.account == "default":
        yield each.hit("serviceAccountName", "default")
    elif each.scene.find("ServiceAccount", each.item.namespace, each.account) is None:
        yield each.hit("serviceAccountName", f"there is no ServiceAccount {each.account}")
    else:
        others = [
            pod.title
            for pod in each.scene.pods_in(each.item.namespace)
            if pod.account == each.account and pod.item is not each.item
        ]
        if others:
            yield each.hit(
                "serviceAccountName", f"{each.account} is also that of {', '.join(sorted(others))}"
            )


def _accounts_and_pods(scene: Scene) -> list[Pod | Thing]:
    return [*scene.pods, *kinds("ServiceAccount")(scene)]


@rule(
    "RBAC-02",
    "No pod gets a token of the Kubernetes API",
    over=_accounts_and_pods,
    reason="Who breaks into a pod with a token asks the API in its name.",
    remedy="automountServiceAccountToken: false on the ServiceAccount and on the pod; waive for what does ask the API",
)
def tokens(each: Pod | Thing) -> Iterator[Hit]:
    if isinstance(each, Thing):
        if each.item.raw.get("automountServiceAccountToken") is not False:
            yield each.hit("automountServiceAccountToken")
        return
    if each.spec.get("automountServiceAccountToken") is not False:
        yield each.hit("automountServiceAccountToken")
    for volume in entries(each.spec.get("volumes")):
        for source in entries(fields(volume.get("projected")).get("sources")):
            token = source.get("serviceAccountToken")
            if token is not None and fields(token).get("audience") in API_AUDIENCES:
                yield each.hit(f"volumes[{volume.get('name')}].projected", "a token for the Kubernetes API")


@rule(
    "RBAC-03",
    "No role reads Secrets",
    over=kinds("Role", "ClusterRole"),
    reason="Pods are given their Secrets by the kubelet and need no right; who may list them has them all.",
    remedy="remove `secrets` from the rule; refer to Secrets in env or volumes",
)
def secrets(each: Thing) -> Iterator[Hit]:
    for path, granted in _granted(each):
        if "secrets" in (granted.get("resources") or []) and READING & set(granted.get("verbs") or []):
            named = granted.get("resourceNames")
            yield each.hit(path, f"{_told(granted)} {f'named {shown(named)}' if named else '(all of them)'}")


@rule(
    "RBAC-04",
    "No role grants more than an application needs",
    over=kinds("Role", "ClusterRole"),
    reason="Wildcards grant what does not exist yet; some rights are all rights by a detour.",
    remedy="list resources and verbs one by one; leave these rights to cluster operators",
)
def powers(each: Thing) -> Iterator[Hit]:
    for path, granted in _granted(each):
        verbs, resources = set(granted.get("verbs") or []), set(granted.get("resources") or [])
        if "*" in verbs | resources | set(granted.get("apiGroups") or []):
            yield each.hit(path, f"a wildcard: {_told(granted)}")
            continue
        for power, by_verbs, on in POWERS:
            if verbs & by_verbs and (on is ANY or resources & on):
                yield each.hit(path, f"may {power}: {_told(granted)}")


@rule(
    "RBAC-05",
    "Rights end at the namespace, and nobody is bound to everything",
    over=kinds("RoleBinding", "ClusterRoleBinding", "ClusterRole"),
    reason="A ClusterRoleBinding holds in every namespace; system groups are everyone.",
    remedy="use a Role and a RoleBinding for the one ServiceAccount",
)
def bindings(each: Thing) -> Iterator[Hit]:
    if each.item.kind != "RoleBinding":
        yield each.hit("kind", f"{each.item.kind} reaches every namespace")
    bound = fields(each.item.raw.get("roleRef")).get("name")
    if bound in ("cluster-admin", "admin", "edit"):
        yield each.hit("roleRef.name")
    for place, subject in enumerate(entries(each.item.raw.get("subjects"))):
        name = str(subject.get("name"))
        if name in EVERYONE or name.startswith("system:serviceaccounts:"):
            yield each.hit(f"subjects[{place}].name", name)


def _granted(each: Thing) -> list[tuple[str, Mapping[str, Any]]]:
    return [(f"rules[{n}]", entry) for n, entry in enumerate(entries(each.item.raw.get("rules")))]


def _told(granted: Mapping[str, Any]) -> str:
    resources = granted.get("resources") or granted.get("nonResourceURLs") or []
    return f"{','.join(granted.get('verbs') or [])} on {','.join(resources)}"


RULES = (own_account, tokens, secrets, powers, bindings)
