"""Drift: only what the manifest says counts; defaults of the API, quantities and dropped empties do not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from runbook.app.drift import SHOWN, differences
from tests.fakes.worlds import FakeApi

WANTED: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "backend", "labels": {"app": "backend"}},
    "spec": {
        "replicas": 1,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "backend",
                        "image": "todo-backend:1.0.0",
                        "env": [{"name": "A", "value": "1"}, {"name": "EMPTY", "value": ""}],
                        "resources": {"limits": {"cpu": "1000m"}},
                    }
                ]
            }
        },
    },
}


def live() -> dict[str, Any]:
    """As the API serves it: with defaults, a status, its own form of quantities, and without empties."""
    thing = copy.deepcopy(WANTED)
    thing["metadata"] |= {"namespace": "todo", "uid": "u"}
    thing["spec"]["strategy"] = {"type": "RollingUpdate"}
    thing["status"] = {"replicas": 1}
    container = thing["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["limits"]["cpu"] = "1"
    container["terminationMessagePath"] = "/dev/termination-log"
    del container["env"][1]["value"]
    return thing


def container(thing: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = thing["spec"]["template"]["spec"]["containers"][0]
    return found


def test_no_value_of_a_secret_is_told() -> None:
    wanted = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"key": "b25l"}}
    there = {"kind": "Secret", "metadata": {"name": "s", "namespace": "todo"}, "data": {"key": "c2VjcmV0"}}
    assert differences(FakeApi(there), [wanted], "todo") == [  # type: ignore[arg-type]
        "Secret s: data is not what the release made"
    ]


def test_what_the_api_adds_is_no_drift() -> None:
    assert differences(FakeApi(live()), [WANTED], "todo") == []  # type: ignore[arg-type]


@pytest.mark.parametrize("change", ["replicas", "image", "env", "label", "container"])
def test_what_a_hand_changed_is_told(change: str) -> None:
    thing = live()
    if change == "replicas":
        thing["spec"]["replicas"] = 0
        words = "spec.replicas is 0, the release says 1"
    elif change == "image":
        container(thing)["image"] = "todo-backend:9"
        words = "containers[backend].image is todo-backend:9, the release says todo-backend:1.0.0"
    elif change == "env":
        container(thing)["env"][0]["value"] = "2"
        words = "env[A].value is 2, the release says 1"
    elif change == "label":
        thing["metadata"]["labels"] = {}
        words = "metadata.labels.app is absent, the release says backend"
    else:
        thing["spec"]["template"]["spec"]["containers"].append({"name": "stranger"})
        words = "spec.template.spec.containers is"
    (told,) = differences(FakeApi(thing), [WANTED], "todo")  # type: ignore[arg-type]
    assert told.startswith("Deployment backend: ")
    assert words in told


def test_many_differences_are_counted_and_not_all_told() -> None:
    wanted = [
        {"kind": "Service", "metadata": {"name": f"s{number}"}, "spec": {}} for number in range(SHOWN + 3)
    ]
    told = differences(FakeApi(), wanted, "todo")  # type: ignore[arg-type]
    assert len(told) == SHOWN + 1
    assert told[-1] == "and 3 more differences"


class Strict(FakeApi):
    """Serves a kind of somebody else's group by its full name only, as the API does."""

    def list(self, kind: str, namespace: str | None = None, **fields: str) -> list[dict[str, Any]]:
        assert kind == "Component.dapr.io"
        return super().list(kind, namespace, **fields)


def test_a_kind_of_another_group_is_asked_by_its_full_name() -> None:
    store = {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "statestore", "namespace": "todo"},
        "spec": {"type": "state.redis"},
    }
    there = copy.deepcopy(store)
    assert differences(Strict(there), [store], "todo") == []  # type: ignore[arg-type]
    there["spec"] = {"type": "state.other"}
    assert differences(Strict(there), [store], "todo") == [  # type: ignore[arg-type]
        "Component statestore: spec.type is state.other, the release says state.redis"
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [("rules", [{"verbs": ["*"]}]), ("subjects", []), ("automountServiceAccountToken", True)],
)
def test_rights_that_a_hand_changed_are_told(path: str, value: Any) -> None:
    wanted = {
        "kind": "Role",
        "metadata": {"name": "backend", "namespace": "todo"},
        "rules": [{"verbs": ["get"]}],
        "subjects": [{"name": "backend-sa"}],
        "automountServiceAccountToken": False,
    }
    found = differences(FakeApi(wanted | {path: value}), [wanted], "todo")  # type: ignore[arg-type]
    assert len(found) == 1
    assert path in found[0]
