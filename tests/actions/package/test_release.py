"""The release: by identity, repaired when Helm was killed, evidence before a rollback, no write when unchanged."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runbook.actions.cluster import namespace, rollout
from runbook.actions.package import helm_release, release
from runbook.app import blueprint
from runbook.app.application import COMPONENTS
from runbook.checks.cluster import deployed as checked
from runbook.engine.errors import CommandFailed, Foreign, RunbookError, TimedOut, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.engine.waiting import Hopeless
from runbook.ownership import installation
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

IMAGES = {f"{image}:1.0.0": running.IMAGE for image in
          (*(component.image for component in COMPONENTS), "todo-postgres", "todo-offline-model")}  # fmt: skip
INSTALLED = [running.service(component) for component in COMPONENTS]
NAMESPACES = {"todo-app": "todo", "postgres": "todo-database", "offline-model": "todo-model"}


class FakeHelm:
    """Writes the release's record as Helm does, and lets the workloads run."""

    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.calls: list[tuple[Any, ...]] = []
        self.fails: str = ""
        self.breaks = False

    def upgrade(
        self, name: str, chart: Path, space: str, *, values: Any, labels: Mapping[str, str], timeout: float
    ) -> None:
        self.calls.append(("upgrade", name))
        number = 1 + len(self.api.list("Secret", space, labels=f"owner=helm,name={name}"))
        status = "failed" if self.fails else "deployed"
        self.api.put(
            running.release_secret(
                name,
                space,
                revision=number,
                status=status,
                digest=labels["todo.runbook/release-digest"],
                objects=INSTALLED if name == "todo-app" else (),
            )
        )
        if self.fails:
            raise CommandFailed(self.fails)
        if name == "todo-app":
            for each in running.everything():
                self.api.put(each)
            if self.breaks:
                pod = self.api.get("Pod", "backend-1", "todo")
                assert pod
                running.waiting(pod, "ErrImageNeverPull", "the image is not present")
        else:
            thing = running.deployment(COMPONENTS[0])
            thing["metadata"] |= {"name": name, "namespace": space}
            self.api.put(thing)

    def rollback(self, name: str, revision: int, space: str, **_: Any) -> None:
        self.calls.append(("rollback", name, revision))

    def uninstall(self, name: str, space: str, **_: Any) -> bool:
        self.calls.append(("uninstall", name))
        for secret in self.api.list("Secret", space, labels=f"owner=helm,name={name}"):
            del self.api.objects["Secret", space, secret["metadata"]["name"]]
        return True


class Database:
    """Lets everybody in."""

    def refusal(self, url: str) -> str:
        return ""


def make(api: FakeApi | None = None, **changes: Any) -> tuple[World, FakeApi, FakeHelm]:
    api = api or FakeApi()
    helm = FakeHelm(api)
    return (
        world_of(Settings(**changes), api=api, helm=helm, cluster=FakeCluster(IMAGES), database=Database()),
        api,
        helm,
    )


def deployed() -> tuple[World, FakeApi, FakeHelm]:
    world, api, helm = make()
    release.deploy(world)
    return world, api, helm


def test_a_first_deploy_makes_everything_and_passes_its_check() -> None:
    world, api, helm = deployed()
    assert [call[1] for call in helm.calls][-1] == "todo-app"
    assert {call[1] for call in helm.calls} == set(NAMESPACES)
    outcome = checked.current(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "revision 1 of todo-app is deployed" in outcome.observed
    made = api.get("Namespace", "todo")
    assert made
    assert made["metadata"]["labels"]["env"] == "development"
    assert installation.owns(world.settings, made)
    assert ("create", "Namespace", "todo") in api.written


def test_an_unchanged_deploy_writes_nothing() -> None:
    world, api, helm = deployed()
    writes, calls = list(api.written), list(helm.calls)
    release.deploy(world)
    assert (api.written, helm.calls) == (writes, calls)


@pytest.mark.parametrize("change", ["image", "secret", "host", "chart"])
def test_whatever_the_release_is_made_of_makes_another_one(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, api, _ = deployed()
    if change == "image":
        images = IMAGES | {"todo-backend:1.0.0": "sha256:" + "b" * 64}
        world = world_of(Settings(), api=api, helm=FakeHelm(api), cluster=FakeCluster(images))
    elif change == "secret":
        api.objects["Secret", "todo", "todo-secrets"]["data"]["openai-api-key"] = "YW5vdGhlci1rZXk="
    elif change == "host":
        world = world_of(
            Settings(host="other.local"), api=api, helm=FakeHelm(api), cluster=FakeCluster(IMAGES)
        )
    else:
        monkeypatch.setattr(blueprint, "_files", lambda _: [("Chart.yaml", "changed")])
    outcome = checked.current(world)
    assert outcome.status is Status.FAILED
    assert "revision 1 of release todo-app was made from" in outcome.observed


def test_what_is_missing_is_told_from_the_ground_up() -> None:
    world, _, _ = make()
    assert "there is no namespace todo" in checked.current(world).observed
    namespace.ensure(world)
    assert "there is no Secret todo-secrets" in checked.current(world).observed


def test_a_label_that_was_taken_off_is_told_and_put_back() -> None:
    world, api, _ = deployed()
    labels = api.objects["Namespace", "", "todo"]["metadata"]["labels"]
    del labels["env"]
    assert "namespace todo lacks env=development" in checked.current(world).observed
    release.deploy(world)
    assert checked.current(world).green


def test_a_correction_says_again_whose_the_namespace_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """An apply takes away what it said before and leaves out now: without the mark, cleanup would spare it."""
    world, api, _ = deployed()
    labels = api.objects["Namespace", "", "todo"]["metadata"]["labels"]
    del labels["env"]
    said = []
    monkeypatch.setattr(api, "apply", lambda manifest, _namespace=None: said.append(manifest))
    namespace.ensure(world)
    assert [installation.owns(world.settings, each) for each in said] == [True]


@pytest.mark.parametrize(
    "labels",
    [
        {"team": "x"},
        {"todo.runbook/made-by": "todo-runbook"},
        {"todo.runbook/made-by": "todo-runbook", installation.LABEL: "f" * 32},
        {installation.LABEL: ""},
    ],
)
@pytest.mark.parametrize("name", ["todo", "todo-database", "todo-model"])
def test_a_namespace_of_somebody_else_is_refused_before_the_first_write(
    name: str, labels: dict[str, str]
) -> None:
    api = FakeApi({"kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    world, _, helm = make(api)
    before = copy.deepcopy(api.objects)
    with pytest.raises(Foreign, match=f"namespace {name} was") as caught:
        release.deploy(world)
    assert (helm.calls, api.written, api.objects) == ([], [], before)
    assert "delete" not in caught.value.hint
    assert checked.current(world).status is Status.FAILED
    assert f"namespace {name} was" in checked.current(world).observed


def test_a_namespace_that_is_going_away_is_not_used() -> None:
    world, api, _ = make()
    marks = installation.labels(world.settings)
    metadata = {"name": "todo", "labels": marks, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    api.put({"kind": "Namespace", "metadata": metadata})
    with pytest.raises(RunbookError, match="namespace todo is being deleted"):
        release.deploy(world)


def test_an_image_that_the_node_lacks_cannot_be_measured() -> None:
    _, api, _ = deployed()
    bare = world_of(Settings(), api=api, cluster=FakeCluster({}))
    with pytest.raises(Unmeasurable, match="not every node holds the image todo-postgres"):
        checked.current(bare)


def test_helm_that_was_killed_at_the_first_install_is_started_over() -> None:
    world, api, helm = make()
    api.put(running.release_secret(status="pending-install"))
    release.deploy(world)
    assert [call for call in helm.calls if call[1] == "todo-app"] == [
        ("uninstall", "todo-app"),
        ("upgrade", "todo-app"),
    ]
    assert checked.current(world).green


def test_helm_that_was_killed_in_an_upgrade_goes_back_first() -> None:
    world, api, helm = deployed()
    helm.calls.clear()
    api.put(running.release_secret(revision=2, status="pending-upgrade"))
    assert "revision 2 of release todo-app is pending-upgrade" in checked.current(world).observed
    helm_release.repair(world, "todo-app", "todo")
    assert helm.calls == [("rollback", "todo-app", 1)]


def test_pods_that_cannot_start_end_the_wait_with_evidence_and_a_rollback() -> None:
    world, api, helm = deployed()
    helm.calls.clear()
    helm.breaks = True
    api.logged["backend-1"] = "last words"
    world = world_of(
        Settings(host="other.local"), api=api, helm=helm, cluster=FakeCluster(IMAGES), database=Database()
    )
    with pytest.raises(Hopeless) as caught:
        release.deploy(world)
    assert "ErrImageNeverPull (the image is not present)" in caught.value.observed
    assert "went back to revision 1" in caught.value.observed
    assert helm.calls == [("upgrade", "todo-app"), ("rollback", "todo-app", 1)]
    (kept,) = (world.settings.state / "evidence").glob("failed-todo-app-*.json")
    evidence = json.loads(kept.read_text())
    assert evidence["logs"]["backend-1/backend"] == "last words\nlast words"


def test_a_failed_first_install_stays_for_a_look() -> None:
    world, _, helm = make()
    helm.fails = ""
    helm.breaks = True
    with pytest.raises(Hopeless, match="no earlier revision to go back to"):
        release.deploy(world)


def test_helms_own_reason_is_kept() -> None:
    world, _, helm = deployed()
    helm.fails = "pre-upgrade hooks failed: job todo-app-migrate failed"
    again = world_of(
        Settings(host="o.local"), api=world.api, helm=helm, cluster=FakeCluster(IMAGES), database=Database()
    )
    with pytest.raises(CommandFailed, match="hooks failed"):
        release.deploy(again)


def test_a_rollout_in_time_and_one_that_is_not() -> None:
    world, api, _ = make(FakeApi(*running.everything()))
    names = [component.name for component in COMPONENTS]
    rollout.settle(world, "todo", names=names, timeout=5)
    api.objects["Deployment", "todo", "backend"]["status"]["availableReplicas"] = 0
    with pytest.raises(TimedOut, match="Deployment backend: 1 of 1 updated, 0 available"):
        rollout.settle(world, "todo", names=names, timeout=0.5)
    with pytest.raises(TimedOut, match="redis is not there yet"):
        rollout.settle(world, "todo", names=["redis"], timeout=0.5)


@pytest.mark.parametrize("restarts", [0, 2])
def test_pods_that_nobody_saw_in_time_are_recreated(restarts: int) -> None:
    world, api, _ = make(FakeApi(*running.everything()))
    pod = api.get("Pod", "backend-1", "todo")
    assert pod
    release.ready(world)
    assert not api.written
    other, api, _ = make(FakeApi(*running.everything()))
    pod = api.get("Pod", "backend-1", "todo")
    assert pod
    pod["metadata"]["uid"] = "uid-of-another-pod"
    pod["status"]["conditions"][0]["lastTransitionTime"] = "2026-01-02T10:00:00Z"
    pod["status"]["containerStatuses"][0]["restartCount"] = restarts
    deployments = {key: each for key, each in api.objects.items() if key[0] == "Deployment"}

    def merged(manifest: dict[str, Any], namespace: str | None = None) -> dict[str, Any]:
        api.written.append(("apply", manifest["kind"], manifest["metadata"]["name"]))
        assert rollout.RESTARTED in manifest["spec"]["template"]["metadata"]["annotations"]
        return deployments["Deployment", "todo", "backend"]

    api.apply = merged  # type: ignore[method-assign, assignment]
    release.ready(other)
    assert api.written == [("apply", "Deployment", "backend")]


@pytest.mark.parametrize(
    ("reason", "restarts", "waited", "lost"),
    [
        ("ErrImageNeverPull", 0, 0.0, True),
        ("CreateContainerConfigError", 0, 0.0, True),
        ("ImagePullBackOff", 0, 1.0, False),
        ("ImagePullBackOff", 0, 60.0, True),
        ("CrashLoopBackOff", 1, 60.0, False),
        ("CrashLoopBackOff", 3, 10.0, True),
        ("ContainerCreating", 0, 60.0, False),
    ],
)
def test_what_is_hopeless(reason: str, restarts: int, waited: float, lost: bool) -> None:
    pod = running.waiting(running.pod(COMPONENTS[0]), reason, restarts=restarts)
    assert rollout._lost(pod, waited) is lost


def test_an_object_that_was_lost_or_changed_by_hand_is_told_and_put_back() -> None:
    world, api, helm = deployed()
    api.objects["Service", "todo", "backend-svc"]["spec"]["ports"][0]["port"] = 8001
    del api.objects["Service", "todo", "frontend-svc"]
    outcome = checked.current(world)
    assert outcome.status is Status.FAILED
    assert "Service backend-svc: spec.ports[0].port is 8001, the release says 8000" in outcome.observed
    assert "Service frontend-svc of the release is not there" in outcome.observed
    helm.calls.clear()
    release.deploy(world)
    assert helm.calls == [("upgrade", "todo-app")]
    assert checked.current(world).green


def test_a_damaged_record_cannot_be_measured() -> None:
    world, api, _ = deployed()
    api.objects["Secret", "todo", "sh.helm.release.v1.todo-app.v1"]["data"]["release"] = "AAAA"
    with pytest.raises(Unmeasurable, match="the record of revision 1 of todo-app cannot be read"):
        checked.current(world)
