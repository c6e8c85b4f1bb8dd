"""Reviews and dry runs: what is asked, and how the answers are read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.clients.kube.kinds import Kinds
from runbook.clients.kube.reviews import Reviews, Right
from runbook.clients.kube.transport import Answer, Refused, _warnings
from runbook.engine.errors import Unmeasurable

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "todo"}}
USER = "system:serviceaccount:todo:backend-sa"


class FakeWire:
    """Answers every request with the same, and keeps what was asked."""

    def __init__(self, answer: Any, status: int = 200, warnings: tuple[str, ...] = ()) -> None:
        self.answer, self.status, self.warnings = answer, status, warnings
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def json(self, method: str, path: str, **options: Any) -> Any:
        self.asked.append((method, path, options))
        if self.status >= 400:
            raise Refused("users is forbidden: cannot impersonate", code=self.status)
        return self.answer

    def send(self, method: str, path: str, **options: Any) -> Answer:
        self.asked.append((method, path, options))
        return Answer(self.status, json.dumps(self.answer), self.warnings)


def reviews(wire: FakeWire) -> Reviews:
    return Reviews(wire, Kinds(lambda _name, _group: None))  # type: ignore[arg-type]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_user_is_asked_about_by_subject_access_review(allowed: bool) -> None:
    wire = FakeWire({"status": {"allowed": allowed}})
    right = Right("create", "", "pods/exec")
    assert reviews(wire).allowed(right, "todo", user=USER, groups=["g"]) is allowed
    method, path, options = wire.asked[0]
    assert (method, path) == ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews")
    assert options["body"]["spec"] == {
        "user": USER,
        "groups": ["g"],
        "resourceAttributes": {
            "namespace": "todo",
            "verb": "create",
            "resource": "pods",
            "subresource": "exec",
        },
    }


def test_without_a_user_we_ask_about_ourselves() -> None:
    wire = FakeWire({"status": {"allowed": True}})
    assert reviews(wire).allowed(Right("list", "", "secrets"), "")
    assert wire.asked[0][1].endswith("/selfsubjectaccessreviews")
    assert wire.asked[0][2]["body"]["spec"] == {"resourceAttributes": {"verb": "list", "resource": "secrets"}}


def test_the_rights_of_a_user_are_listed_in_its_place() -> None:
    rules = [
        {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"]},
        {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["deployments"]},
    ]
    wire = FakeWire({"status": {"resourceRules": rules, "incomplete": False}})
    assert reviews(wire).rights(USER, "todo") == {
        Right("get", "", "secrets", "a"),
        Right("get", "", "secrets", "b"),
        Right("*", "apps", "deployments"),
    }
    assert wire.asked[0][2]["act_as"] == USER


def test_an_incomplete_list_proves_nothing() -> None:
    status = {"resourceRules": [], "incomplete": True, "evaluationError": "webhook authorizer"}
    with pytest.raises(Unmeasurable, match="not complete: webhook authorizer"):
        reviews(FakeWire({"status": status})).rights(USER, "todo")


def test_who_may_not_impersonate_cannot_ask() -> None:
    with pytest.raises(Unmeasurable, match="are not told: users is forbidden"):
        reviews(FakeWire({}, status=403)).rights(USER, "todo")


def test_a_dry_run_tells_of_admission_and_its_warnings() -> None:
    wire = FakeWire({}, status=201, warnings=("would violate",))
    admission = reviews(wire).admission(POD)
    assert (admission.accepted, admission.words, admission.warnings) == (True, "", ("would violate",))
    method, path, options = wire.asked[0]
    assert (method, path) == ("POST", "/api/v1/namespaces/todo/pods")
    assert options["params"] == {"dryRun": "All"}


def test_a_refused_dry_run_carries_the_servers_words() -> None:
    admission = reviews(FakeWire({"message": 'violates PodSecurity "restricted"'}, status=403)).admission(POD)
    assert (admission.accepted, admission.words) == (False, 'violates PodSecurity "restricted"')


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_an_answer_that_decides_nothing_is_none(status: int) -> None:
    with pytest.raises(Unmeasurable, match=f"was answered {status}"):
        reviews(FakeWire({}, status=status)).admission(POD)


def test_labels_are_tried_on_without_being_written() -> None:
    wire = FakeWire({}, warnings=("existing pods violate",))
    assert reviews(wire).relabelled("todo", {"a": "b"}).warnings == ("existing pods violate",)
    method, path, options = wire.asked[0]
    assert (method, path, options["params"]) == ("PATCH", "/api/v1/namespaces/todo", {"dryRun": "All"})


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        (['299 - "would violate PodSecurity"'], ("would violate PodSecurity",)),
        (['299 - "container \\"x\\" must"'], ('container "x" must',)),
        (["garbage"], ()),
        ([], ()),
    ],
)
def test_warnings_are_read(lines: list[str], texts: tuple[str, ...]) -> None:
    assert _warnings(lines) == texts


def test_a_right_reads_as_kubectl_would_say_it() -> None:
    assert str(Right("get", "", "secrets", "todo-secrets")) == "get secrets/todo-secrets"
    assert str(Right("list", "apps", "deployments")) == "list deployments.apps"
