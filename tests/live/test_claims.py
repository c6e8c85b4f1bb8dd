"""One planted fault for each claim about a deployed object: the step that claims it turns red and names it.

Deployments are paused while their template is wrong, so that no pod is rolled and the application goes on.
"""

from __future__ import annotations

import pytest
from planting import BACKEND, FRONTEND, MCP_SERVER, Fault, Hands, Object
from test_faults import CONTAINER, check_fault

from runbook.actions.web import hosts
from runbook.world import World

POD = "/spec/template/spec"


def _template(
    step: str, cause: str, deployment: Object, path: str, value: object, *, of: str = CONTAINER
) -> Fault:
    def plant(hands: Hands) -> None:
        hands.patch(
            deployment,
            {"op": "add", "path": "/spec/paused", "value": True},
            {"op": "replace", "path": f"{of}/{path}", "value": value},
        )

    return Fault(f"{step} {path}", {step: cause}, plant, objects=(deployment,))


def _object(step: str, cause: str, thing: Object, path: str, value: object) -> Fault:
    def plant(hands: Hands) -> None:
        hands.patch(thing, {"op": "replace", "path": path, "value": value})

    return Fault(f"{step} {path}", {step: cause}, plant, objects=(thing,))


def _service(name: str) -> Object:
    return ("Service", name, "todo")


def _account(step: str, name: str) -> Fault:
    thing = ("ServiceAccount", name, "todo")
    return _object(step, "is True, not false", thing, "/automountServiceAccountToken", True)


def _role(step: str, name: str) -> Fault:
    return _object(step, "list secrets", ("Role", name, "todo"), "/rules/1/verbs", ["get", "list"])


def _binding(step: str, name: str) -> Fault:
    return _object(step, "todo/default", ("RoleBinding", name, "todo"), "/subjects/0/name", "default")


def _policy(step: str, cause: str, name: str, path: str, value: object) -> Fault:
    """Opened wider than it should be: the application goes on."""
    return _object(step, cause, ("NetworkPolicy", name, "todo"), path, value)


ANY_POD = {"podSelector": {}}

CLAIMS = (
    _template("T025", "1001", FRONTEND, "securityContext/runAsUser", 1001),
    _template("T026", "300Mi", FRONTEND, "resources/limits/memory", "300Mi"),
    _template("T027", "/nowhere", FRONTEND, "livenessProbe/httpGet/path", "/nowhere"),
    _object("T028", "3001", _service("frontend-svc"), "/spec/ports/0/port", 3001),
    _object("T029", "other.local", ("Ingress", "frontend", "todo"), "/spec/rules/0/host", "other.local"),
    _template(
        "T030",
        "allowPrivilegeEscalation|escalation",
        BACKEND,
        "securityContext/allowPrivilegeEscalation",
        True,
    ),
    _template("T031", "cpu", BACKEND, "resources/limits/cpu", "2"),
    _template("T032", "/nowhere", BACKEND, "livenessProbe/httpGet/path", "/nowhere"),
    _object("T033", "8001", _service("backend-svc"), "/spec/ports/0/port", 8001),
    _template("T038", "1001", MCP_SERVER, "securityContext/runAsUser", 1001),
    _template("T039", "memory", MCP_SERVER, "resources/requests/memory", "64Mi"),
    _template("T040", "/nowhere", MCP_SERVER, "readinessProbe/httpGet/path", "/nowhere"),
    _object("T041", "8081", _service("mcp-server-svc"), "/spec/ports/0/port", 8081),
    _object("T042", "production", ("Namespace", "todo", ""), "/metadata/labels/env", "production"),
    _account("T055", "frontend-sa"),
    _role("T056", "frontend"),
    _binding("T057", "frontend"),
    _account("T058", "backend-sa"),
    _role("T059", "backend"),
    _binding("T060", "backend"),
    _account("T061", "mcp-server-sa"),
    _role("T062", "mcp-server"),
    _binding("T063", "mcp-server"),
    _template("T064", "default", FRONTEND, "serviceAccountName", "default", of=POD),
    _template("T065", "token", BACKEND, "automountServiceAccountToken", True, of=POD),
    _template("T066", "frontend-sa", MCP_SERVER, "serviceAccountName", "frontend-sa", of=POD),
    _policy("T067", "egress", "default-deny", "/spec/policyTypes", ["Ingress"]),
    _policy("T068", "mcp-server too", "frontend-to-backend", "/spec/egress/0/to/0", ANY_POD),
    _policy("T069", "every port", "mcp-server-from-backend", "/spec/ingress/0/ports", []),
    _policy("T070", "frontend too", "backend-to-database", "/spec/podSelector/matchLabels", {}),
    _object("T048", "replicas", BACKEND, "/spec/replicas", 2),
    Fault(
        "T047 name not known",
        {"T047": "not known|resolves"},
        lambda hands: hosts.remove(hands.world.settings),
        undo=lambda hands: hosts.enter(hands.world),
    ),
)


@pytest.mark.parametrize("fault", CLAIMS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_false_claim_is_named(fault: Fault, world: World) -> None:
    check_fault(fault, world)
