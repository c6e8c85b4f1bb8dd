"""T076: accounts in use, no token, and exactly the rights that are declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runbook.checks.security import access, accounts
from runbook.checks.security.access import user_of
from runbook.clients.kube.reviews import Right
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Status
from tests.fakes import secured
from tests.fakes.secured import SecuredApi

Break = Callable[[SecuredApi], Any]
BACKEND = user_of("backend-sa", "todo")


def pod(**fields: Any) -> Break:
    return lambda api: secured.backend(api)["spec"].update(fields)


def granted(*rights: Right, user: str = BACKEND) -> Break:
    return lambda api: api.reviews.granted.setdefault(user, set()).update(rights)


def binding(kind: str, home: str, subject: dict[str, str]) -> Break:
    metadata = {"name": "extra"} | ({"namespace": home} if home else {})
    return lambda api: api.put({"kind": kind, "metadata": metadata, "subjects": [subject]})


def test_own_accounts_with_the_least_rights_pass() -> None:
    world, _ = secured.secured()
    outcome = accounts.own_and_least(world)
    assert outcome.status is Status.PASSED
    assert "4 accounts with exactly the rights declared" in outcome.observed


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            lambda api: api.objects.pop(("ServiceAccount", "todo", "backend-sa")),
            "no service account backend-sa",
        ),
        (pod(serviceAccountName="default"), "pod backend-1 runs under the account default"),
        (pod(serviceAccountName="frontend-sa"), "pod backend-1 runs under frontend-sa, not backend-sa"),
        (pod(serviceAccountName="frontend-sa"), "nothing runs under backend-sa"),
        (pod(automountServiceAccountToken=None), "pod backend-1 gets a token"),
        (
            pod(volumes=[{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "x"}}]}}]),
            "pod backend-1 mounts a token by volume t",
        ),
        (
            lambda api: api.objects["ServiceAccount", "todo", "backend-sa"].pop(
                "automountServiceAccountToken"
            ),
            "backend-sa does not forbid its token",
        ),
        (lambda api: api.facts.update(backend={"Token": "yes"}), "there is a token for the Kubernetes API"),
        (granted(Right("list", "", "secrets")), "backend-sa may list secrets, which is not declared"),
        (granted(Right("*", "*", "*")), "backend-sa may * *.*, which is not declared"),
        (granted(Right("get", "", "nodes/proxy")), "backend-sa may get nodes/proxy in the whole cluster"),
        (
            granted(Right("get", "", "pods"), user=user_of("default", "todo")),
            "default may get pods, which is not declared",
        ),
        (
            lambda api: api.reviews.granted[BACKEND].clear(),
            "backend-sa may not get secrets/todo-secrets, which is declared",
        ),
        (
            binding(
                "RoleBinding",
                "kube-system",
                {"kind": "ServiceAccount", "name": "backend-sa", "namespace": "todo"},
            ),
            "RoleBinding extra binds backend-sa",
        ),
        (
            binding("ClusterRoleBinding", "", {"kind": "Group", "name": "system:serviceaccounts:todo"}),
            "ClusterRoleBinding extra binds system:serviceaccounts:todo",
        ),
    ],
)
def test_each_fault_is_told(fault: Break, words: str) -> None:
    world, api = secured.secured()
    fault(api)
    outcome = accounts.own_and_least(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_a_token_for_the_sidecars_authority_is_none_for_the_api() -> None:
    world, api = secured.secured()
    audience = "spiffe://cluster.local/ns/dapr-system/dapr-sentry"
    sources = [{"serviceAccountToken": {"audience": audience, "path": "token"}}]
    secured.backend(api)["spec"]["volumes"].append({"name": "identity", "projected": {"sources": sources}})
    assert accounts.own_and_least(world).green


def test_without_an_administrator_a_no_proves_nothing() -> None:
    world, api = secured.secured()
    api.reviews.administrator = False
    with pytest.raises(Unmeasurable, match="whose `no` is it"):
        accounts.own_and_least(world)


def test_a_process_that_is_not_seen_is_not_green() -> None:
    world, api = secured.secured()
    api.mute.add("frontend")
    assert accounts.own_and_least(world).status is Status.UNPROVEN


def test_what_every_account_may_is_no_difference() -> None:
    everybodys = {Right("create", group, resource) for group, resource in access.EVERYBODYS}
    assert access.compared("x-sa", everybodys, frozenset()) == []


def test_the_questions_end_with_both_answers() -> None:
    wanted = {answer for _, _, answer in access._questions("backend-sa", "todo")}
    assert wanted == {True, False}
    assert {answer for _, _, answer in access._questions("default", "todo")} == {False}
