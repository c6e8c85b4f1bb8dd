"""Who takes which key of the Secret: by reference, each service its own and no other."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from runbook.app.application import BACKEND, COMPONENTS
from runbook.checks.chart import secret_claims
from runbook.checks.chart.claims import Absent, Scene, Seen
from runbook.checks.chart.secret_claims import DATABASE, JOB, MODEL, SIGNATURES, TAKEN
from runbook.engine.step import Status
from tests.fakes.stored import make, put

Object = dict[str, Any]


def variable(name: str, key: str, **more: Any) -> Object:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "todo-secrets", "key": key, **more}}}


def workload(kind: str, name: str, container: str) -> Object:
    env = [{"name": "PORT", "value": "1"}, *(variable(each, key) for each, key in TAKEN[name].items())]
    pod = {"containers": [{"name": container, "env": env}]}
    return {"kind": kind, "metadata": {"name": name}, "spec": {"template": {"spec": pod}}}


@pytest.fixture
def objects() -> dict[str, Object]:
    made = {each.name: workload("Deployment", each.name, each.name) for each in COMPONENTS}
    return {**made, JOB: workload("Job", JOB, "migrate")}


def examine(
    objects: dict[str, Object], claim: str = "DATABASE_URL", family: frozenset[str] = DATABASE
) -> Seen:
    def find(kind: str, name: str) -> Object | None:
        found = objects.get(name)
        return found if found and found["kind"] == kind else None

    return secret_claims.takes(BACKEND, claim, family).examine(Scene(find, "todo.local", "todo"))


def pod(objects: dict[str, Object], name: str = "backend") -> Object:
    found: Object = objects[name]["spec"]["template"]["spec"]
    return found


def entry(objects: dict[str, Object], name: str, of: str = "backend") -> Object:
    env = pod(objects, of)["containers"][0]["env"]
    found: Object = next(each for each in env if each["name"] == name)
    return found


@pytest.mark.parametrize(
    ("name", "family"),
    [("DATABASE_URL", DATABASE), ("OPENAI_API_KEY", MODEL), ("BETTER_AUTH_SECRET", SIGNATURES)],
)
def test_good_references_have_no_problem(
    objects: dict[str, Object], name: str, family: frozenset[str]
) -> None:
    seen = examine(objects, name, family)
    assert seen.problems == []
    assert "4 containers examined" in seen.observed


def test_without_the_hook_the_deployments_are_examined(objects: dict[str, Object]) -> None:
    del objects[JOB]
    assert "3 containers examined" in examine(objects).observed


def test_a_missing_deployment_is_absent(objects: dict[str, Object]) -> None:
    del objects["frontend"]
    with pytest.raises(Absent, match="there is no Deployment frontend"):
        examine(objects)


def test_what_else_a_variable_may_be_is_told(objects: dict[str, Object]) -> None:
    entry(objects, "DATABASE_URL").clear()
    assert examine_broken(objects, {"name": "DATABASE_URL", "value": "postgresql://x"}) == [
        "backend/backend: DATABASE_URL is in plain text"
    ]
    assert examine_broken(objects, variable("DATABASE_URL", "migration-database-url")) == [
        "backend/backend: DATABASE_URL is key migration-database-url of Secret todo-secrets, not database-url"
    ]
    assert examine_broken(objects, variable("DATABASE_URL", "database-url", optional=True)) == [
        "backend/backend: DATABASE_URL may be missing (optional)"
    ]
    assert examine_broken(objects, {"name": "OTHER", "value": "x"}) == [
        "backend/backend: DATABASE_URL is not set"
    ]


def examine_broken(objects: dict[str, Object], instead: Object) -> list[str]:
    changed = copy.deepcopy(objects)
    env = pod(changed)["containers"][0]["env"]
    env[:] = [each for each in env if each] + [instead]
    return list(examine(changed).problems)


def test_another_services_key_is_told(objects: dict[str, Object]) -> None:
    pod(objects, "frontend")["containers"][0]["env"].append(variable("SPY", "mcp-database-url"))
    assert examine(objects).problems == [
        "frontend/frontend: SPY takes key mcp-database-url, which is not its own"
    ]


def test_a_container_beside_the_services_own_takes_nothing(objects: dict[str, Object]) -> None:
    pod(objects)["containers"].append({"name": "spy", "env": [variable("DATABASE_URL", "database-url")]})
    assert examine(objects).problems == [
        "backend/spy: DATABASE_URL takes key database-url, which is not its own"
    ]


def test_whole_secrets_are_told(objects: dict[str, Object]) -> None:
    pod(objects)["containers"][0]["envFrom"] = [{"secretRef": {"name": "todo-secrets"}}]
    pod(objects, "mcp-server")["volumes"] = [{"name": "v", "secret": {"secretName": "todo-secrets"}}]
    assert examine(objects).problems == [
        "backend/backend takes every key of Secret todo-secrets",
        "mcp-server/mcp-server takes Secret todo-secrets as files",
    ]


def test_the_key_that_is_referred_to_has_to_be_there() -> None:
    world, api, _ = make()
    check = secret_claims.is_there(BACKEND, "OPENAI_API_KEY")
    assert check(world).green
    put(api, {"openai-api-key": None})
    outcome = check(world)
    assert (outcome.status, outcome.observed) == (
        Status.FAILED,
        "Secret todo-secrets lacks the key openai-api-key",
    )
