"""Faults of what each template claims, in the live object: only the step that claims it turns red among its like.

A Deployment is paused while its template is wrong, so that no pod is rolled and the application goes on. That the
release differs meanwhile is for the steps on the release to say.
"""

from __future__ import annotations

from typing import Any

from runbook import catalogue
from runbook.app.application import BACKEND, FRONTEND, MCP_SERVER, Component
from runbook.engine.settings import Settings
from runbook.faults import Group, Mutant
from runbook.faults.planting import Object

POD = "/spec/template/spec"
CONTAINER = f"{POD}/containers/0"
SHOWN = 30.0


def group(settings: Settings) -> Group:
    """One for each claim, and the claims as the steps to watch."""
    space = settings.namespace
    steps = [
        step.id
        for step in catalogue.STEPS
        if step.live
        and ("T025" <= step.id <= "T033" or "T038" <= step.id <= "T042" or "T055" <= step.id <= "T070")
    ]
    return Group("claims", tuple(steps), (*_of_templates(space), *_of_services(space), *_of_rights(space)))


def _of_templates(space: str) -> tuple[Mutant, ...]:
    def template(
        step: str, component: Component, path: str, value: object, cause: str, of: str = CONTAINER
    ) -> Mutant:
        return _changed(
            step,
            f"{path} of {component.name}",
            ("Deployment", component.name, space),
            cause,
            {"op": "add", "path": "/spec/paused", "value": True},
            {"op": "replace", "path": f"{of}/{path}", "value": value},
        )

    return (
        template("T025", FRONTEND, "securityContext/runAsUser", 1001, "1001"),
        template("T026", FRONTEND, "resources/limits/memory", "300Mi", "300Mi"),
        template("T027", FRONTEND, "livenessProbe/httpGet/path", "/nowhere", "/nowhere"),
        template("T030", BACKEND, "securityContext/allowPrivilegeEscalation", True, "scalation"),
        template("T031", BACKEND, "resources/limits/cpu", "2", "cpu"),
        template("T032", BACKEND, "livenessProbe/httpGet/path", "/nowhere", "/nowhere"),
        template("T038", MCP_SERVER, "securityContext/runAsUser", 1001, "1001"),
        template("T039", MCP_SERVER, "resources/requests/memory", "64Mi", "memory"),
        template("T040", MCP_SERVER, "readinessProbe/httpGet/path", "/nowhere", "/nowhere"),
        template("T064", FRONTEND, "serviceAccountName", "default", "default", POD),
        template("T030 T065", BACKEND, "automountServiceAccountToken", True, "token", POD),
        template("T066", MCP_SERVER, "serviceAccountName", "frontend-sa", "frontend-sa", POD),
    )


def _of_services(space: str) -> tuple[Mutant, ...]:
    return (
        *(
            _changed(
                step,
                f"another port of {component.service}",
                ("Service", component.service, space),
                str(component.port + 1),
                {"op": "replace", "path": "/spec/ports/0/port", "value": component.port + 1},
            )
            for step, component in (("T028", FRONTEND), ("T033", BACKEND), ("T041", MCP_SERVER))
        ),
        _changed(
            "T029",
            "an Ingress for another host",
            ("Ingress", FRONTEND.name, space),
            r"other\.invalid",
            {"op": "replace", "path": "/spec/rules/0/host", "value": "other.invalid"},
        ),
        _changed(
            "T042",
            "a namespace of another environment",
            ("Namespace", space, ""),
            "production",
            {"op": "replace", "path": "/metadata/labels/env", "value": "production"},
        ),
    )


def _of_rights(space: str) -> tuple[Mutant, ...]:
    """Accounts, roles, bindings and policies; a policy is opened wider, so that the application goes on."""

    def replaced(step: str, name: str, kind: str, thing: str, path: str, value: Any, cause: str) -> Mutant:
        return _changed(
            step, name, (kind, thing, space), cause, {"op": "replace", "path": path, "value": value}
        )

    accounts = (("T055", "frontend-sa"), ("T058", "backend-sa"), ("T061", "mcp-server-sa"))
    roles = (("T056", FRONTEND.name), ("T059", BACKEND.name), ("T062", MCP_SERVER.name))
    bindings = (("T057", FRONTEND.name), ("T060", BACKEND.name), ("T063", MCP_SERVER.name))
    token, subject, verbs = "/automountServiceAccountToken", "/subjects/0/name", "/rules/1/verbs"
    egress, selector = "/spec/egress/0/to/0", "/spec/podSelector/matchLabels"
    policy = "NetworkPolicy"
    return (
        *(
            replaced(step, f"a token by {name}", "ServiceAccount", name, token, True, "is True, not false")
            for step, name in accounts
        ),
        *(
            replaced(
                step, f"a role of {name} that lists", "Role", name, verbs, ["get", "list"], "list secrets"
            )
            for step, name in roles
        ),
        *(
            replaced(step, f"{name}'s role for default", "RoleBinding", name, subject, "default", "/default")
            for step, name in bindings
        ),
        replaced(
            "T067", "egress not closed", policy, "default-deny", "/spec/policyTypes", ["Ingress"], "egress"
        ),
        replaced(
            "T068",
            "a frontend that may reach every pod",
            policy,
            "frontend-to-backend",
            egress,
            {"podSelector": {}},
            "mcp-server too",
        ),
        replaced(
            "T069",
            "an MCP server open on every port",
            policy,
            "mcp-server-from-backend",
            "/spec/ingress/0/ports",
            [],
            "every port",
        ),
        replaced(
            "T070",
            "a way to the database for every pod",
            policy,
            "backend-to-database",
            selector,
            {},
            "frontend too",
        ),
    )


def _changed(steps: str, name: str, thing: Object, cause: str, *operations: dict[str, Any]) -> Mutant:
    return Mutant(
        name,
        frozenset(steps.split()),
        lambda hands: hands.patch(thing, *operations),
        objects=(thing,),
        cause=cause,
        patience=SHOWN,
    )
