"""Pods: ready, by container name, quick, of the image that the node holds; and the identity of a proof."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.app.application import COMPONENTS, FRONTEND
from runbook.checks.cluster import pods
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

HELD = {f"{component.image}:1.0.0": running.IMAGE for component in COMPONENTS}


def make(*objects: running.Object, images: dict[str, str] | None = None) -> tuple[World, FakeApi]:
    api = FakeApi(*objects)
    return world_of(Settings(), api=api, cluster=FakeCluster(images or HELD)), api


def backend(api: FakeApi) -> running.Object:
    found = api.get("Pod", "backend-1", "todo")
    assert found
    return found


def test_a_running_application_passes_and_says_how_long_it_took() -> None:
    world, _ = make(*running.everything())
    outcome = pods.all_ready(world)
    assert outcome.status is Status.PASSED
    assert "frontend 1/1, backend 1/1, mcp-server 1/1" in outcome.observed
    assert "Ready after 20 s" in outcome.observed


def test_nothing_deployed_is_a_failure() -> None:
    world, _ = make()
    outcome = pods.all_ready(world)
    assert (outcome.status, outcome.hint) == (Status.FAILED, "inv deploy")


def test_a_missing_component_is_named() -> None:
    world, api = make(*running.everything())
    del api.objects["Deployment", "todo", "mcp-server"], api.objects["Pod", "todo", "mcp-server-1"]
    assert "there is no Deployment of mcp-server" in pods.all_ready(world).observed


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("ErrImageNeverPull", 'Container image "todo-backend:9" is not present with pull policy of Never'),
        ("CreateContainerConfigError", "couldn't find key openai-api-key in Secret todo/todo-secrets"),
        ("CrashLoopBackOff", "back-off 40s restarting failed container"),
    ],
)
def test_the_cause_of_a_waiting_container_is_told(reason: str, message: str) -> None:
    world, api = make(*running.everything())
    running.waiting(backend(api), reason, message)
    outcome = pods.all_ready(world)
    assert outcome.status is Status.FAILED
    assert reason in outcome.observed
    assert message in outcome.observed


def test_the_last_words_and_the_last_event_are_told_without_secrets() -> None:
    world, api = make(*running.everything())
    running.waiting(backend(api), "CrashLoopBackOff", restarts=2)
    api.logged["backend-1"] = "starting\nrefused postgresql://todo:hunter22-hunter@db/todo\n"
    api.put(
        {
            "kind": "Event",
            "metadata": {"name": "e", "namespace": "todo"},
            "involvedObject": {"uid": "uid-backend-1"},
            "type": "Warning",
            "reason": "BackOff",
            "message": "restarting failed container",
        }
    )
    observed = pods.all_ready(world).observed
    assert "event BackOff: restarting failed container" in observed
    assert "starting | refused postgresql://todo:***@db" in observed


def test_a_pod_that_took_too_long_fails() -> None:
    world, api = make(*running.everything())
    backend(api)["status"]["conditions"][0]["lastTransitionTime"] = "2026-01-01T10:05:01Z"
    outcome = pods.all_ready(world)
    assert outcome.status is Status.FAILED
    assert "backend-1 became Ready 301 s after its creation" in outcome.observed


def test_a_longer_patience_is_no_longer_limit() -> None:
    _, api = make(*running.everything())
    backend(api)["status"]["conditions"][0]["lastTransitionTime"] = "2026-01-01T10:05:01Z"
    patient = world_of(Settings(ready_timeout=3000), api=api, cluster=FakeCluster(HELD))
    outcome = pods.all_ready(patient)
    assert outcome.status is Status.FAILED
    assert "within 300 s" in outcome.wanted


def test_a_readiness_that_came_back_later_does_not_count_as_slow() -> None:
    world, api = make(*running.everything())
    assert pods.all_ready(world).green
    backend(api)["status"]["conditions"][0]["lastTransitionTime"] = "2026-01-02T10:00:00Z"
    assert pods.all_ready(world).green


def test_a_pod_that_restarted_before_anybody_saw_it_ready_cannot_be_measured() -> None:
    """The machine was started again: the API server keeps the last readiness only."""
    world, api = make(*running.everything())
    status = backend(api)["status"]
    status["conditions"][0]["lastTransitionTime"] = "2026-01-02T10:00:00Z"
    status["containerStatuses"][0]["restartCount"] = 1
    with pytest.raises(Unmeasurable, match="pod backend-1: restarted since, so its first readiness is not"):
        pods.all_ready(world)
    status["conditions"][0]["lastTransitionTime"] = running.READY
    assert pods.all_ready(world).green


def test_containers_are_counted_by_name() -> None:
    world, api = make(*running.everything())
    backend(api)["metadata"]["annotations"] = {"dapr.io/enabled": "true"}
    outcome = pods.all_ready(world)
    assert "has containers backend, wanted backend, daprd" in outcome.observed
    sidecar = {"name": "daprd", "restartPolicy": "Always", "image": "daprd"}
    backend(api)["spec"]["initContainers"] = [sidecar]
    backend(api)["status"]["initContainerStatuses"] = [
        {"name": "daprd", "ready": True, "restartCount": 0, "state": {"running": {}}}
    ]
    outcome = pods.all_ready(world)
    assert outcome.green
    assert "backend 2/2" in outcome.observed


def test_an_old_image_under_the_same_tag_fails() -> None:
    world, _ = make(*running.everything(), images=HELD | {"todo-backend:1.0.0": "sha256:" + "b" * 64})
    outcome = pods.all_ready(world)
    assert outcome.status is Status.FAILED
    assert "backend-1 runs todo-backend:1.0.0 as sha256:aaaa" in outcome.observed


def test_an_unfinished_rollout_fails() -> None:
    world, api = make(*running.everything())
    rollout = api.get("Deployment", "backend", "todo")
    assert rollout
    rollout["status"]["updatedReplicas"] = 0
    assert "Deployment backend: 0 of 1 updated" in pods.all_ready(world).observed


def test_a_pod_that_the_api_server_refuses_is_told_with_the_reason() -> None:
    world, api = make(*running.everything())
    rollout = api.get("Deployment", "backend", "todo")
    assert rollout
    rollout["status"]["updatedReplicas"] = 0
    refused = {"type": "ReplicaFailure", "status": "True", "message": 'failed calling webhook "injector"'}
    rollout["status"]["conditions"] = [refused]
    assert '1 available (failed calling webhook "injector")' in pods.all_ready(world).observed


def test_an_api_that_is_away_cannot_be_measured() -> None:
    world, api = make(*running.everything())
    api.away = True
    with pytest.raises(Unmeasurable):
        pods.all_ready(world)


def identity_world() -> tuple[World, FakeApi]:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "todo-secrets", "namespace": "todo", "resourceVersion": "7"},
    }
    database = running.pod(FRONTEND)
    database["metadata"] |= {
        "name": "postgres-0",
        "namespace": "todo-database",
        "labels": {},
        "uid": "uid-postgres",
    }
    return make(*running.everything(), secret, database, running.release_secret())


def test_the_fingerprint_stays_while_nothing_changes() -> None:
    world, _ = identity_world()
    assert pods.fingerprint(world) == pods.fingerprint(world)


def workload(kind: str, name: str, namespace: str, **variables: str) -> dict[str, Any]:
    container = {"name": name, "env": [{"name": key, "value": value} for key, value in variables.items()]}
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": {}},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}},
    }


@pytest.mark.parametrize(
    "change", ["image", "database image", "replicas", "pool", "model", "max_connections"]
)
def test_the_fingerprint_changes_with_what_a_proof_depends_on(change: str) -> None:
    world, api = identity_world()
    pool = workload("Deployment", "backend", "todo", POOL_SIZE="5", OPENAI_BASE_URL="http://model/v1")
    api.put(pool)
    server = workload("StatefulSet", "postgres", "todo-database", MAX_CONNECTIONS="100")
    api.put(server)
    before = pods.fingerprint(world)
    variables = pool["spec"]["template"]["spec"]["containers"][0]["env"]
    if change == "image":
        backend(api)["status"]["containerStatuses"][0]["imageID"] = "sha256:" + "c" * 64
    elif change == "database image":
        status = api.objects["Pod", "todo-database", "postgres-0"]["status"]["containerStatuses"][0]
        status["imageID"] = "sha256:" + "c" * 64
    elif change == "replicas":
        pool["spec"]["replicas"] = 10
    elif change == "pool":
        variables[0]["value"] = "100"
    elif change == "model":
        variables[1]["value"] = "http://another/v1"
    else:
        server["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "20"
    api.put(pool)
    api.put(server)
    assert pods.fingerprint(world) != before


@pytest.mark.parametrize("change", ["restart", "uid", "revision", "secret"])
def test_a_proof_outlives_what_makes_no_difference_to_it(change: str) -> None:
    """Whether the application answers now is for the canary to say."""
    world, api = identity_world()
    before = pods.fingerprint(world)
    if change == "restart":
        backend(api)["status"]["containerStatuses"][0]["restartCount"] = 1
    elif change == "uid":
        backend(api)["metadata"]["uid"] = "another"
    elif change == "revision":
        api.put(running.release_secret(revision=2))
    else:
        api.objects["Secret", "todo", "todo-secrets"]["metadata"]["resourceVersion"] = "8"
    assert pods.fingerprint(world) == before


def test_without_pods_there_is_no_identity() -> None:
    world, _ = make()
    with pytest.raises(Unmeasurable):
        pods.fingerprint(world)


def test_a_pod_that_is_leaving_does_not_count() -> None:
    world, api = make(*running.everything())
    leaving = running.waiting(running.pod(COMPONENTS[1]), "ContainerCreating")
    leaving["metadata"] |= {"name": "backend-0", "uid": "old", "deletionTimestamp": "2026-01-01T10:01:00Z"}
    api.put(leaving)
    assert pods.all_ready(world).green
