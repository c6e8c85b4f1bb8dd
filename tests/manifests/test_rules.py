"""Each rule finds what it is about in an application that is good but for that, and nothing else finds anything."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.manifests.rules import FAMILIES, RULES
from tests.manifests.spoiling import GONE, good, judged, spoil

WEB, API, REPORT, SETUP = "Deployment web", "Deployment api", "CronJob report", "Job setup"
POD = "spec.template.spec"
MAIN = f"{POD}.containers[web]"
INIT = f"{POD}.initContainers[prepare]"
CRON = "spec.jobTemplate.spec.template.spec"
HIGH = {"limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"}}
DEBUGGER = {
    "name": "debugger",
    "image": "registry.test:5000/shop/tools:1.2.3",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
}
PEERS = "spec.ingress[0].from"


def made(kind: str, name: str, version: str = "rbac.authorization.k8s.io/v1", **rest: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **rest}


def granting(*resources: str, verbs: tuple[str, ...]) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}


FAULTS: list[tuple[str, str, str, Any]] = [
    ("POD-01", WEB, f"{MAIN}.securityContext.allowPrivilegeEscalation", True),
    ("POD-01", WEB, f"{INIT}.securityContext.allowPrivilegeEscalation", GONE),
    ("POD-01", REPORT, f"{CRON}.containers[report].securityContext.allowPrivilegeEscalation", GONE),
    ("POD-01", SETUP, f"{POD}.containers[setup].securityContext.allowPrivilegeEscalation", GONE),
    (
        "POD-01",
        WEB,
        f"{POD}.ephemeralContainers",
        [DEBUGGER | {"securityContext": DEBUGGER["securityContext"] | {"allowPrivilegeEscalation": True}}],
    ),
    ("POD-02", WEB, f"{POD}.securityContext.runAsNonRoot", GONE),
    ("POD-02", WEB, f"{MAIN}.securityContext.runAsNonRoot", False),
    ("POD-03", WEB, f"{MAIN}.securityContext.runAsUser", 0),
    ("POD-04", WEB, f"{MAIN}.securityContext.capabilities.drop", ["NET_RAW"]),
    ("POD-04", WEB, f"{MAIN}.securityContext.capabilities.add", ["SYS_ADMIN"]),
    ("POD-05", WEB, f"{POD}.securityContext.seccompProfile", GONE),
    ("POD-05", WEB, f"{MAIN}.securityContext.seccompProfile", {"type": "Unconfined"}),
    ("POD-05", API, "spec.template.metadata.annotations[dapr.io/sidecar-seccomp-profile-type]", GONE),
    ("POD-06", WEB, f"{POD}.volumes[+]", {"name": "socket", "hostPath": {"path": "/run/containerd"}}),
    ("POD-06", WEB, f"{POD}.volumes[+]", {"name": "share", "nfs": {"server": "nfs.test", "path": "/"}}),
    ("POD-07", WEB, f"{POD}.hostPID", True),
    ("POD-07", SETUP, f"{POD}.hostNetwork", True),
    ("POD-07", WEB, f"{MAIN}.ports[http].hostPort", 8080),
    ("POD-08", WEB, f"{MAIN}.securityContext.privileged", True),
    ("POD-08", WEB, f"{MAIN}.securityContext.procMount", "Unmasked"),
    ("POD-08", WEB, f"{POD}.securityContext.seLinuxOptions", {"type": "spc_t"}),
    ("POD-08", WEB, f"{MAIN}.securityContext.seLinuxOptions", {"user": "system_u"}),
    ("POD-08", WEB, f"{POD}.securityContext.windowsOptions", {"hostProcess": True}),
    ("POD-08", WEB, f"{MAIN}.securityContext.appArmorProfile", {"type": "Unconfined"}),
    (
        "POD-08",
        WEB,
        "spec.template.metadata.annotations",
        {"container.apparmor.security.beta.kubernetes.io/web": "unconfined"},
    ),
    ("POD-08", WEB, f"{POD}.securityContext.sysctls[+]", {"name": "kernel.msgmax", "value": "1"}),
    ("POD-09", WEB, f"{MAIN}.readinessProbe.httpGet.host", "169.254.169.254"),
    ("POD-09", API, f"{POD}.containers[api].lifecycle.preStop.httpGet.host", "10.0.0.1"),
    ("POD-10", WEB, f"{MAIN}.securityContext.readOnlyRootFilesystem", False),
    ("POD-10", WEB, f"{INIT}.securityContext.readOnlyRootFilesystem", GONE),
    ("POD-13", WEB, f"{POD}.securityContext.runAsUser", 1000),
    ("POD-13", WEB, f"{POD}.securityContext.runAsGroup", GONE),
    ("REL-01", WEB, f"{MAIN}.resources", GONE),
    ("REL-01", WEB, f"{INIT}.resources.limits.memory", GONE),
    ("REL-01", WEB, f"{MAIN}.resources.requests.ephemeral-storage", GONE),
    ("REL-01", WEB, f"{MAIN}.resources.requests.memory", "1Gi"),
    ("REL-01", API, "spec.template.metadata.annotations[dapr.io/sidecar-memory-limit]", GONE),
    ("REL-02", WEB, f"{MAIN}.readinessProbe", GONE),
    ("REL-02", API, f"{POD}.containers[api].livenessProbe", GONE),
    ("REL-02", WEB, f"{MAIN}.readinessProbe.httpGet.path", "/live"),
    ("REL-02", WEB, f"{MAIN}.livenessProbe.httpGet.port", 8081),
    ("REL-02", WEB, f"{MAIN}.startupProbe.httpGet.port", "web"),
    ("REL-03", WEB, f"{MAIN}.livenessProbe.httpGet.path", "/health/database"),
    ("REL-03", API, f"{POD}.containers[api].livenessProbe.exec.command", ["pg_isready", "--host=db"]),
    ("REL-03", API, f"{POD}.containers[api].livenessProbe.exec.command", ["curl", "http://redis:80/"]),
    (
        "REL-03",
        API,
        f"{POD}.containers[api].livenessProbe",
        {"httpGet": {"port": 3501, "path": "/v1.0/healthz"}},
    ),
    ("REL-04", WEB, f"{MAIN}.image", "registry.test:5000/shop/web"),
    ("REL-04", WEB, f"{INIT}.image", "prepare:latest"),
    ("REL-04", WEB, f"{MAIN}.imagePullPolicy", "Never"),
    ("REL-06", WEB, "spec.strategy", {"type": "Recreate"}),
    ("REL-06", WEB, "spec.replicas", 1),
    ("REL-06", "HorizontalPodAutoscaler api", "spec.minReplicas", 1),
    ("REL-06", WEB, f"{POD}.topologySpreadConstraints", GONE),
    ("REL-06", API, f"{POD}.affinity", GONE),
    ("REL-07", "PodDisruptionBudget shop", "", GONE),
    ("REL-07", "PodDisruptionBudget shop", "spec.maxUnavailable", 0),
    ("REL-07", "PodDisruptionBudget shop", "spec.minAvailable", "100%"),
    ("REL-07", "PodDisruptionBudget shop", "spec.unhealthyPodEvictionPolicy", GONE),
    ("REL-07", "PodDisruptionBudget shop", "spec.selector.matchExpressions[0].values", ["web"]),
    (
        "REL-07",
        "",
        "",
        made(
            "PodDisruptionBudget",
            "typo",
            "policy/v1",
            spec={
                "maxUnavailable": 1,
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
                "selector": {"matchLabels": {"app": "wbe"}},
            },
        ),
    ),
    ("REL-08", "Service web", "spec.selector.app", "wbe"),
    ("REL-08", "Service web", "spec.ports[web].targetPort", "https"),
    ("REL-08", "Service api", "spec.ports[api].targetPort", 9001),
    ("REL-08", "Ingress web", "spec.defaultBackend.service.name", "wbe"),
    ("REL-08", "Ingress web", "spec.rules[0].http.paths[0].backend.service.port.name", "http"),
    ("REL-08", WEB, "spec.selector.matchLabels.app", "wbe"),
    ("REL-08", WEB, f"{MAIN}.env[+]", {"name": "TOKEN_FILE", "value": "/etc/other"}),
    ("REL-08", "HorizontalPodAutoscaler api", "apiVersion", "autoscaling/v2beta2"),
    (
        "REL-08",
        "",
        "",
        made(
            "HorizontalPodAutoscaler",
            "typo",
            "autoscaling/v2",
            spec={"scaleTargetRef": {"kind": "Deployment", "name": "ip"}},
        ),
    ),
    ("REL-08", API, "spec.replicas", 2),
    ("REL-09", SETUP, "spec.backoffLimit", GONE),
    ("REL-09", SETUP, "spec.ttlSecondsAfterFinished", GONE),
    ("REL-09", REPORT, "spec.startingDeadlineSeconds", GONE),
    ("REL-09", REPORT, "spec.jobTemplate.spec.backoffLimit", GONE),
    ("RBAC-01", WEB, f"{POD}.serviceAccountName", "default"),
    ("RBAC-01", WEB, f"{POD}.serviceAccountName", "wbe"),
    ("RBAC-01", WEB, f"{POD}.serviceAccountName", "api"),
    ("RBAC-02", WEB, f"{POD}.automountServiceAccountToken", GONE),
    ("RBAC-02", "ServiceAccount web", "automountServiceAccountToken", True),
    (
        "RBAC-02",
        WEB,
        f"{POD}.volumes[identity].projected.sources[+]",
        {"serviceAccountToken": {"path": "token"}},
    ),
    ("RBAC-03", "Role api", "rules[+]", granting("secrets", verbs=("get",))),
    ("RBAC-03", "Role api", "rules[+]", granting("configmaps", "secrets", verbs=("create", "list"))),
    ("RBAC-04", "Role api", "rules[+]", granting("*", verbs=("get",))),
    ("RBAC-04", "Role api", "rules[+]", granting("configmaps", verbs=("*",))),
    ("RBAC-04", "Role api", "rules[+]", granting("pods/exec", verbs=("create",))),
    ("RBAC-04", "Role api", "rules[+]", granting("pods/ephemeralcontainers", verbs=("patch",))),
    ("RBAC-04", "Role api", "rules[+]", granting("pods", verbs=("create",))),
    ("RBAC-04", "Role api", "rules[+]", granting("users", verbs=("impersonate",))),
    ("RBAC-04", "Role api", "rules[+]", granting("roles", verbs=("escalate",))),
    ("RBAC-04", "Role api", "rules[+]", granting("rolebindings", verbs=("create",))),
    ("RBAC-04", "Role api", "rules[+]", granting("nodes/proxy", verbs=("get",))),
    ("RBAC-04", "Role api", "rules[+]", granting("serviceaccounts/token", verbs=("create",))),
    ("RBAC-04", "Role api", "rules[+]", granting("networkpolicies", verbs=("delete",))),
    ("RBAC-04", "Role api", "rules[+]", granting("persistentvolumes", verbs=("create",))),
    ("RBAC-04", "Role api", "rules[+]", granting("validatingwebhookconfigurations", verbs=("patch",))),
    ("RBAC-04", "Role api", "rules[+]", granting("certificatesigningrequests/approval", verbs=("update",))),
    ("RBAC-05", "RoleBinding api", "roleRef", {"kind": "ClusterRole", "name": "cluster-admin"}),
    ("RBAC-05", "RoleBinding api", "subjects[+]", {"kind": "Group", "name": "system:authenticated"}),
    ("RBAC-05", "RoleBinding api", "subjects[+]", {"kind": "Group", "name": "system:serviceaccounts:shop"}),
    ("RBAC-05", "", "", made("ClusterRoleBinding", "api", roleRef={"kind": "ClusterRole", "name": "view"})),
    ("RBAC-05", "", "", made("ClusterRole", "api", rules=[granting("nodes", verbs=("list",))])),
    ("SEC-01", WEB, f"{MAIN}.env[+]", {"name": "DB_PASSWORD", "value": "hunter2-hunter2"}),
    ("SEC-01", WEB, f"{MAIN}.env[+]", {"name": "DB", "value": "postgresql://shop:hunter2@db/shop"}),
    ("SEC-01", "ConfigMap settings", "data.token", "f3a9c1d2e4b5"),
    ("SEC-01", "ConfigMap settings", "data.key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
    ("SEC-01", "ConfigMap settings", "metadata.annotations", {"shop.test/apiKey": "f3a9c1d2e4b5"}),
    ("SEC-01", "Secret login", "stringData.password", "hunter2-hunter2"),
    ("SEC-01", "Secret login", "data", {"other": "aHVudGVyMi1odW50ZXIy"}),
    ("SEC-01", WEB, f"{MAIN}.args", ["--key=AKIAABCDEFGHIJKLMNOP"]),
    (
        "SEC-02",
        WEB,
        f"{MAIN}.env[+]",
        {"name": "LOGIN", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
    ),
    ("SEC-02", WEB, f"{MAIN}.envFrom", [{"secretRef": {"name": "login"}}]),
    ("SEC-03", "Secret login", "", GONE),
    ("SEC-03", "ConfigMap settings", "data.level", GONE),
    ("SEC-03", WEB, f"{POD}.volumes[login].secret.items[0].key", "word"),
    ("SEC-03", WEB, f"{POD}.volumes[+]", {"name": "more", "configMap": {"name": "extras"}}),
    ("SEC-03", WEB, f"{MAIN}.envFrom", [{"configMapRef": {"name": "extras"}}]),
    ("SEC-03", WEB, f"{MAIN}.volumeMounts[login].subPath", "password"),
    ("NPS-01", "NetworkPolicy default-deny", "", GONE),
    ("NPS-01", "NetworkPolicy default-deny", "spec.policyTypes", ["Ingress"]),
    ("NPS-01", "NetworkPolicy default-deny", "spec.podSelector", {"matchLabels": {"app": "web"}}),
    ("NPS-02", "NetworkPolicy api", f"{PEERS}[0].podSelector.matchLabels.app", "wbe"),
    (
        "NPS-02",
        "NetworkPolicy web",
        f"{PEERS}[0].namespaceSelector.matchLabels",
        {"kubernetes.io/metadata.name": "shop"},
    ),
    (
        "NPS-02",
        "",
        "",
        made(
            "NetworkPolicy",
            "typo",
            "networking.k8s.io/v1",
            spec={"podSelector": {"matchLabels": {"app": "wbe"}}, "policyTypes": ["Ingress"]},
        ),
    ),
    (
        "NPS-03",
        "",
        "",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "default-deny"},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
        },
    ),
    ("NPS-03", "NetworkPolicy api", "spec.policyTypes", GONE),
    ("NPS-03", "NetworkPolicy api", "spec.policyTypes", ["Ingress"]),
    ("NPS-03", "NetworkPolicy api", "spec.ingress[0].ports[0].protocol", GONE),
    ("NPS-03", "NetworkPolicy api", "metadata.name", "web"),
    ("NPS-04", "NetworkPolicy web", "spec.egress[1].ports[1]", GONE),
    ("NPS-04", "NetworkPolicy api", "spec.egress[1]", GONE),
    ("NPS-05", "NetworkPolicy api", "spec.ingress[0].ports[0].port", 80),
    ("NPS-05", "NetworkPolicy web", "spec.egress[0].ports[0].port", 80),
    ("NPS-05", "NetworkPolicy web", "spec.ingress[0].ports[0].port", "https"),
    (
        "NPS-05",
        "NetworkPolicy web",
        "spec.egress[+]",
        {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "dapr-system"}}}],
            "ports": [{"protocol": "TCP", "port": 443}],
        },
    ),
    ("NPS-06", "NetworkPolicy api", "spec.egress[0].to[0].ipBlock.except[3]", GONE),
    ("NPS-06", "NetworkPolicy api", "spec.egress[0].to[1].ipBlock.cidr", "128.0.0.0/1"),
    ("NPS-06", "NetworkPolicy api", "spec.egress[0].to[+]", {"ipBlock": {"cidr": "::/0"}}),
    ("NPS-06", "NetworkPolicy api", "spec.egress[+]", {}),
    ("NPS-06", "NetworkPolicy api", PEERS, []),
    ("NPS-06", "NetworkPolicy api", f"{PEERS}[+]", {"namespaceSelector": {}}),
]


def test_nothing_is_found_in_the_good_application() -> None:
    judgement = judged(good())
    assert [(each.rule.id, each.item.title, each.place) for each in judgement.findings] == []
    assert judgement.unjudged == ()
    assert judgement.exit_code == 0


def test_the_pods_own_setting_counts_where_its_containers_set_another() -> None:
    for field, bad, good_one, rule in (
        ("seLinuxOptions", {"type": "spc_t"}, {}, "POD-08"),
        ("seccompProfile", {"type": "Unconfined"}, {"type": "RuntimeDefault"}, "POD-05"),
        ("runAsUser", 0, 10001, "POD-03"),
    ):
        objects = good()
        spoil(objects, WEB, f"{POD}.securityContext.{field}", bad)
        for container in (MAIN, INIT):
            spoil(objects, WEB, f"{container}.securityContext.{field}", good_one)
        assert {each.rule.id for each in judged(objects).findings} == {rule}


def test_windows_has_no_capabilities_to_drop() -> None:
    objects = good()
    spoil(objects, WEB, f"{POD}.os", {"name": "windows"})
    for container in (MAIN, INIT):
        spoil(objects, WEB, f"{container}.securityContext", GONE)
    spoil(objects, WEB, f"{POD}.securityContext.seccompProfile", GONE)
    assert judged(objects).findings == ()


def test_every_rule_has_something_to_judge_in_the_good_application() -> None:
    judgement = judged(good())
    assert [rule.id for rule in RULES if not judgement.asked.get(rule.id)] == []


@pytest.mark.parametrize(
    ("rule", "target", "path", "value"),
    FAULTS,
    ids=[f"{rule} {target} {path}".strip() for rule, target, path, _ in FAULTS],
)
def test_a_fault_is_found_by_exactly_its_rule(rule: str, target: str, path: str, value: Any) -> None:
    objects = good()
    spoil(objects, target, path, value)
    judgement = judged(objects)
    assert {each.rule.id for each in judgement.findings} == {rule}, [
        each.place for each in judgement.findings
    ]
    assert judgement.unjudged == ()
    assert judgement.exit_code == 1


def test_every_rule_has_a_fault() -> None:
    assert {rule.id for rule in RULES} == {rule for rule, *_ in FAULTS}


def test_ids_are_unique_and_rules_say_what_they_have_to() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for family in FAMILIES.values():
        assert [rule.id for rule in family] == sorted(rule.id for rule in family)
    for rule in RULES:
        assert "\n" not in rule.title and not rule.title.endswith(".")
        assert rule.reason.endswith(".")
        assert rule.remedy and not rule.remedy.endswith(".")


def test_the_values_of_secrets_are_not_told() -> None:
    objects = good()
    spoil(objects, "Secret login", "stringData.password", "hunter2-hunter2")
    spoil(objects, "ConfigMap settings", "data.token", "f3a9c1d2e4b5")
    assert not any("hunter2" in each.place or "f3a9" in each.place for each in judged(objects).findings)
