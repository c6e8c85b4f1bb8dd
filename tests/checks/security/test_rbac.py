"""Claims about accounts, roles and bindings: on good objects, on broken ones, and where the object is not there."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.app.application import BACKEND
from runbook.checks.chart.claims import Absent, Claim
from runbook.checks.security import rbac as access
from tests.fakes import secured_chart
from tests.fakes.chart_objects import changed

ACCOUNT = access.service_account(BACKEND)
ROLE = access.role(BACKEND)
BINDING = access.binding(BACKEND)
RUNS = access.runs_under(BACKEND)
POD = "spec.template.spec"


@pytest.mark.parametrize("claim", [ACCOUNT, ROLE, BINDING, RUNS])
def test_good_objects_have_no_problem(claim: Claim) -> None:
    seen = claim.examine(secured_chart.scene())
    assert seen.problems == []
    assert seen.observed


@pytest.mark.parametrize(
    ("claim", "name"), [(ACCOUNT, "backend-sa"), (ROLE, "backend"), (BINDING, "backend"), (RUNS, "backend")]
)
def test_an_absent_object_is_named(claim: Claim, name: str) -> None:
    with pytest.raises(Absent, match=f"there is no [A-Za-z]+ {name}"):
        claim.examine(secured_chart.scene(without=name))


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("automountServiceAccountToken", None, "is not set, not false"),
        ("automountServiceAccountToken", True, "is True, not false"),
        ("secrets", [{"name": "backend-token"}], "a lasting token in Secret backend-token"),
    ],
)
def test_an_account_that_gives_its_token_away_is_told(path: str, value: Any, problem: str) -> None:
    broken = changed(secured_chart.account(BACKEND), path, value)
    seen = ACCOUNT.examine(secured_chart.scene(broken))
    assert [problem in each for each in seen.problems] == [True]


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("rules.1.verbs", ["get", "list"], "it allows list secrets todo-secrets"),
        ("rules.1.verbs", ["*"], "it allows * secrets todo-secrets"),
        ("rules.1.resourceNames", None, "it allows get secrets"),
        ("rules.1.resourceNames", ["todo-secrets", "redis-auth"], "it allows get secrets redis-auth"),
        ("rules.0.resources", ["configmaps", "pods/exec"], "it allows get pods/exec todo-database-ca"),
        ("rules.0.apiGroups", ["apps"], "it allows get configmaps.apps todo-database-ca"),
        ("rules.0", {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, "it allows get /metrics"),
        ("rules", [], "it does not allow get secrets todo-secrets"),
    ],
)
def test_another_right_is_told(path: str, value: Any, problem: str) -> None:
    seen = ROLE.examine(secured_chart.scene(changed(secured_chart.role(BACKEND), path, value)))
    assert problem in seen.problems


def test_the_same_rights_in_other_words_are_the_same() -> None:
    split = secured_chart.role(BACKEND)
    split["rules"] = [*reversed(split["rules"]), split["rules"][0]]
    assert ROLE.examine(secured_chart.scene(split)).problems == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("roleRef.kind", "ClusterRole", "it binds ClusterRole backend, not Role backend"),
        ("roleRef.name", "admin", "it binds Role admin"),
        ("subjects.0.name", "default", "it is bound to ServiceAccount todo/default"),
        ("subjects.0.namespace", "other", "it is bound to ServiceAccount other/backend-sa"),
        ("subjects.0", {"kind": "Group", "name": "system:authenticated"}, "to Group system:authenticated"),
        ("subjects", None, "it is not bound to ServiceAccount todo/backend-sa"),
    ],
)
def test_another_binding_is_told(path: str, value: Any, problem: str) -> None:
    seen = BINDING.examine(secured_chart.scene(changed(secured_chart.binding(BACKEND), path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


def test_a_second_subject_is_told() -> None:
    wide = secured_chart.binding(BACKEND)
    wide["subjects"].append({"kind": "ServiceAccount", "name": "frontend-sa", "namespace": "todo"})
    assert BINDING.examine(secured_chart.scene(wide)).problems == [
        "it is bound to ServiceAccount todo/frontend-sa"
    ]


def token(**fields: Any) -> dict[str, Any]:
    return {"name": "api", "projected": {"sources": [{"serviceAccountToken": {"path": "token", **fields}}]}}


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (f"{POD}.serviceAccountName", None, "run under default, not backend-sa"),
        (f"{POD}.serviceAccountName", "frontend-sa", "run under frontend-sa"),
        (f"{POD}.automountServiceAccountToken", None, "get a token of the API server"),
        (f"{POD}.volumes", [token()], "volume api is a token of the API server"),
        (f"{POD}.volumes", [token(audience="https://kubernetes.default.svc")], "volume api is a token"),
    ],
)
def test_pods_with_another_identity_are_told(path: str, value: Any, problem: str) -> None:
    seen = RUNS.examine(secured_chart.scene(changed(secured_chart.workload(BACKEND), path, value)))
    assert any(problem in each for each in seen.problems), seen.problems


def test_daprs_identity_token_is_no_token_of_the_api_server() -> None:
    audience = "spiffe://cluster.local/ns/dapr-system/dapr-sentry"
    pods = changed(secured_chart.workload(BACKEND), f"{POD}.volumes", [token(audience=audience)])
    assert RUNS.examine(secured_chart.scene(pods)).problems == []
