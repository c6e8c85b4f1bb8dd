"""The dry run of production: every object asked, pods too, a control that must be refused, and nothing written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runbook.app import namespaces
from runbook.checks.package import dry_run
from runbook.clients.kube.reviews import Admission
from runbook.engine.errors import CommandFailed, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, world_of

Object = dict[str, Any]
PROJECT = Path(__file__).resolve().parents[3]
POD: Object = {"containers": [{"name": "redis", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}
STATEFUL: Object = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "redis", "namespace": "todo-prod"},
    "spec": {
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD | {"serviceAccountName": "redis-sa"}},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
    },
}
SERVICE: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "todo-prod"}}
JOB: Object = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "migrate", "namespace": "todo-prod"},
    "spec": {"template": {"spec": {"containers": [{"name": "migrate"}]}}},
}


def by_pod_security(thing: Mapping[str, Any]) -> Admission:
    """As a namespace that is held to the restricted standard."""
    for container in (thing.get("spec") or {}).get("containers") or []:
        if (container.get("securityContext") or {}).get("privileged"):
            return Admission(False, 'violates PodSecurity "restricted:v1.35"')
    return Admission(True, "")


class Place:
    def __init__(self, **changes: Any) -> None:
        self.settings = Settings(project=PROJECT, **changes)
        live = running.deployment(running.COMPONENTS[0])
        self.api = FakeApi(live)
        self.asked: list[Object] = []
        self.answer: Callable[[Mapping[str, Any]], Admission] = by_pod_security
        self.api.reviews = SimpleNamespace(admission=self._admission)  # type: ignore[attr-defined]
        self.objects = ([STATEFUL, SERVICE], [JOB])
        self.error: Exception | None = None
        self.world: World = world_of(self.settings, api=self.api, helm=SimpleNamespace(dry_run=self._dry_run))
        self.api.put(namespaces.manifest(self.world))

    def _admission(self, thing: Object) -> Admission:
        self.asked.append(thing)
        return self.answer(thing)

    def _dry_run(self, release: str, chart: Path, space: str, *, values: Any) -> Any:
        assert (release, space, [file.name for file in values.files]) == (
            "todo-app",
            "todo-prod",
            ["values-prod.yaml"],
        )
        if self.error:
            raise self.error
        return self.objects


@pytest.fixture
def place() -> Place:
    return Place()


def test_everything_is_asked_in_the_namespace_that_stands_for_the_other(place: Place) -> None:
    outcome = dry_run.accepted(place.world)
    assert outcome.status is Status.PASSED, outcome
    assert "3 objects and 2 pods would be admitted" in outcome.observed
    asked = [
        (each["kind"], each["metadata"]["name"], each["metadata"].get("namespace")) for each in place.asked
    ]
    assert sorted(asked, key=str) == sorted(
        [
            ("Namespace", "todo-prod", None),
            ("StatefulSet", "redis-dry-run", "todo"),
            ("Service", "a-dry-run", "todo"),
            ("Job", "migrate-dry-run", "todo"),
            ("Pod", "redis-dry-run", "todo"),
            ("Pod", "migrate-dry-run", "todo"),
            ("Pod", "redis-dry-run", "todo"),  # the control
        ],
        key=str,
    )
    pod = next(each for each in place.asked if each["kind"] == "Pod")
    assert pod["spec"]["volumes"] == [{"name": "data", "emptyDir": {}}]
    assert pod["spec"]["serviceAccountName"] == "default"
    assert place.api.written == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Admission(False, "exceeded quota: pods"), "Service a is refused: exceeded quota: pods"),
        (
            Admission(True, "", ("unknown field spec.prots",)),
            "Service a is admitted with a warning: unknown field",
        ),
    ],
)
def test_a_refusal_and_a_warning_are_told(place: Place, answer: Admission, words: str) -> None:
    place.answer = lambda thing: answer if thing["kind"] == "Service" else by_pod_security(thing)
    outcome = dry_run.accepted(place.world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_a_control_that_is_admitted_shows_that_nobody_asks_admission(place: Place) -> None:
    place.answer = lambda _: Admission(True, "")
    assert (
        "a privileged pod is not refused by pod security: accepted" in dry_run.accepted(place.world).observed
    )
    place.answer = lambda thing: Admission(thing["kind"] != "Pod", "no")
    assert "a privileged pod is not refused by pod security: no" in dry_run.accepted(place.world).observed


def test_a_namespace_with_other_labels_stands_for_nothing(place: Place) -> None:
    del place.api.objects["Namespace", "", "todo"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    outcome = dry_run.accepted(place.world)
    assert "namespace todo lacks pod-security.kubernetes.io/enforce=restricted" in outcome.observed
    assert place.asked == []


def test_a_namespace_of_production_that_is_there_is_held_to_the_standard(place: Place) -> None:
    there = namespaces.restricted(place.world, "todo-prod")
    place.api.put(there)
    assert dry_run.accepted(place.world).green
    assert not [each for each in place.asked if each["kind"] == "Namespace"]
    there["metadata"]["labels"].clear()
    assert "namespace todo-prod lacks" in dry_run.accepted(place.world).observed


def test_what_was_written_is_found(place: Place) -> None:
    def write(thing: Mapping[str, Any]) -> Admission:
        if thing["kind"] in ("Service", "Namespace"):
            place.api.put(dict(thing))
        return by_pod_security(thing)

    place.answer = write
    observed = dry_run.accepted(place.world).observed
    assert "Service a-dry-run was written" in observed
    assert "namespace todo-prod or a release in it has changed" in observed


def test_without_dapr_on_the_cluster_the_hint_is_to_install_it(place: Place) -> None:
    place.error = CommandFailed('no matches for kind "Component" in version "dapr.io/v1alpha1"')
    outcome = dry_run.accepted(place.world)
    assert (outcome.status, outcome.hint) == (Status.FAILED, "inv dapr")
    place.error = CommandFailed("values don't meet the specifications")
    assert "--dry-run=server" in dry_run.accepted(place.world).hint


def test_nothing_to_ask_and_no_control_are_no_verdict(place: Place) -> None:
    del place.api.objects["Deployment", "todo", "frontend"]
    with pytest.raises(Unmeasurable, match="shows no Deployment"):
        dry_run.accepted(place.world)
    place.objects = ([], [])
    with pytest.raises(Unmeasurable, match="0 objects with 0 pods"):
        dry_run.accepted(place.world)
    place.api.away = True
    with pytest.raises(Unmeasurable):
        dry_run.accepted(place.world)
