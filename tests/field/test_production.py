"""Production on three real nodes: HTTPS, replicas kept apart, and people who go on working while nodes go.

The database, the model and the ingress controller have one pod each; they are kept on the control plane, which stays.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runbook.app.application import COMPONENTS, SELECTOR
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually
from tests.fakes.certificates import certificate_files
from tests.field import phases, registry
from tests.field.engine import FieldEngine
from tests.field.inside import PROJECT, Inside

pytestmark = pytest.mark.field

CLUSTER = "prod"
HOST = "prod.todo.test"
FRONT, WORKERS = f"{CLUSTER}-control-plane", (f"{CLUSTER}-worker", f"{CLUSTER}-worker2")
NODES = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes: [{role: control-plane, labels: {ingress-ready: "true"}}, {role: worker}, {role: worker}]
"""
PEOPLE = 6
REPLICAS = 3


@pytest.fixture(scope="module")
def user(
    engine: FieldEngine, field_settings: Settings, node: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Inside]:
    """An operator with a cluster of three nodes, a registry, and a certificate by an authority of their own."""
    folder = tmp_path_factory.mktemp("certificate")
    files = certificate_files(folder, HOST, host=HOST)
    chosen = {
        "TODO_CLUSTER": "existing",
        "TODO_CLUSTER_NAME": "fieldprod",
        "TODO_CONTEXT": f"kind-{CLUSTER}",
        "TODO_HOST": HOST,
        "TODO_ENV": "prod",
        "TODO_REGISTRY": registry.PREFIX,
        "TODO_TLS_CERTIFICATE": files.tls_certificate,
        "TODO_TLS_KEY": files.tls_key,
        "TODO_TLS_AUTHORITY": files.tls_authority,
        "KUBECONFIG": str(folder / "kubeconfig"),
    }
    found = Inside(engine, field_settings, chosen)
    configuration = folder / "nodes.yaml"
    configuration.write_text(NODES)
    found.run("kind", "delete", "cluster", "--name", CLUSTER)
    create = ["kind", "create", "cluster", "--name", CLUSTER, "--config", str(configuration)]
    made = found.run(*create, "--image", node, "--wait", "180s")
    assert made.returncode == 0, made.stdout
    registry.ensure(engine, field_settings, found, CLUSTER)
    kubectl(found, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")
    kubectl(found, "taint", "nodes", FRONT, "node-role.kubernetes.io/control-plane-")
    kubectl(found, "cordon", *WORKERS)  # so that what has one pod begins on the control plane
    yield found
    found.run("kind", "delete", "cluster", "--name", CLUSTER)


def kubectl(user: Inside, *words: str, timeout: float = 300.0) -> str:
    done = user.run("kubectl", *words, timeout=timeout)
    assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stdout}"
    return done.stdout


def pods(user: Inside, *more: str) -> list[dict[str, Any]]:
    """Of the application, those that are not being removed."""
    said = kubectl(user, "get", "pods", "--namespace=todo", f"--selector={SELECTOR}", "--output=json", *more)
    found: list[dict[str, Any]] = json.loads(said)["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def ready(pod: dict[str, Any]) -> bool:
    return any(
        each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions") or []
    )


def nodes_of(user: Inside, component: str) -> list[str]:
    return sorted(
        pod["spec"]["nodeName"]
        for pod in pods(user)
        if pod["metadata"]["labels"]["app.kubernetes.io/name"] == component and ready(pod)
    )


def whole(user: Inside, timeout: float = 600.0) -> None:
    """Three Ready replicas of each component."""

    def look() -> None:
        found = {each.name: nodes_of(user, each.name) for each in COMPONENTS}
        if any(len(where) != REPLICAS for where in found.values()):
            raise NotYet(f"ready on {found}")

    eventually(look, timeout=timeout, every=2.0, wanted=f"{REPLICAS} Ready replicas of each component")


@contextmanager
def people(user: Inside) -> Iterator[dict[str, Any]]:
    """People at work until the context ends; then the mapping holds what they met."""
    program = [str(PROJECT / ".venv/bin/python"), "-m", "tests.field.working", str(PEOPLE)]
    set_ = [f"{name}={value}" for name, value in user.environment.items()]
    working = subprocess.Popen(
        [*user.engine.entry(), "env", "-C", str(PROJECT), *set_, *program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert working.stdin is not None and working.stdout is not None
    met: dict[str, Any] = {}
    try:
        assert working.stdout.readline() == "working\n"
        time.sleep(5)
        yield met
        time.sleep(5)
    finally:
        said, _ = working.communicate(timeout=120)
        met |= json.loads(said or "{}")


def lost_none(met: dict[str, Any], what: str) -> None:
    phases.TABLE.append(f"production {what}: {len(met['failures'])} of {met['answered']} requests failed")
    assert met["answered"] > 100
    assert met["failures"] == []


class TestProduction:
    """In this order: each leaves the application whole for the next."""

    def test_without_the_clusters_name_nothing_is_changed(self, user: Inside) -> None:
        for words in ([], ["--confirm", "prod"]):
            done = user.inv("deploy", "--env", "prod", *words)
            assert done.returncode == 2
            assert f"inv deploy --env prod --confirm kind-{CLUSTER}" in done.stdout
        assert "todo" not in kubectl(user, "get", "namespaces", "--output=name")

    def test_it_is_deployed(self, user: Inside) -> None:
        begun = time.monotonic()
        done = user.inv("deploy", "--env", "prod", "--confirm", f"kind-{CLUSTER}", timeout=3000)
        assert done.returncode == 0, done.stdout[-6000:]
        told = re.search(r"(\d+) of (\d+) steps passed", done.stdout)
        assert told is not None and told[1] == told[2] == "54", done.stdout[-2000:]
        phases.TABLE.append(f"production deploy: 54 of 54 steps, {time.monotonic() - begun:.0f} s")

    def test_three_replicas_of_each_run_on_three_nodes_by_digest(self, user: Inside) -> None:
        kubectl(user, "uncordon", *WORKERS)
        names = [f"deployment/{each.name}" for each in COMPONENTS]
        kubectl(user, "rollout", "restart", "--namespace=todo", *names)
        for name in names:
            kubectl(user, "rollout", "status", "--namespace=todo", name, "--timeout=300s")
        whole(user)
        for each in COMPONENTS:
            assert nodes_of(user, each.name) == sorted([FRONT, *WORKERS])
        images = {container["image"] for pod in pods(user) for container in pod["spec"]["containers"]}
        assert all(re.fullmatch(r"localhost:5001/todo-[a-z-]+@sha256:[0-9a-f]{64}", each) for each in images)

    def test_https_is_verified_by_the_authority_alone(self, user: Inside) -> None:
        address = json.loads(kubectl(user, "get", "node", FRONT, "--output=json"))["status"]["addresses"]
        inner = next(each["address"] for each in address if each["type"] == "InternalIP")
        ask = [
            "curl",
            "-sS",
            "--resolve",
            f"{HOST}:443:{inner}",
            "--resolve",
            f"{HOST}:80:{inner}",
            "-D-",
            "-o/dev/null",
        ]
        trusted = user.run(*ask, "--cacert", user.environment["TODO_TLS_AUTHORITY"], f"https://{HOST}/")
        assert trusted.stdout.startswith("HTTP/2 200") or " 200" in trusted.stdout.splitlines()[0]
        assert "strict-transport-security: max-age=31536000" in trusted.stdout.lower()
        assert user.run(*ask, f"https://{HOST}/").returncode == 60  # no authority of the machine's signed it
        moved = user.run(*ask, f"http://{HOST}/").stdout
        assert re.match(r"HTTP/1.1 30[18]", moved) and f"location: https://{HOST}/" in moved.lower()

    def test_a_second_eviction_is_refused_by_the_budget(self, user: Inside) -> None:
        first, second = [
            pod["metadata"]["name"]
            for pod in pods(user)
            if pod["metadata"]["labels"]["app.kubernetes.io/name"] == "backend"
        ][:2]
        assert evict(user, first).returncode == 0
        refused = evict(user, second)
        assert refused.returncode != 0 and "disruption budget" in refused.stdout
        whole(user)

    def test_a_node_is_drained_and_no_request_fails(self, user: Inside) -> None:
        with people(user) as met:
            drain = ["drain", WORKERS[0], "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=600s"]
            kubectl(user, *drain, timeout=700)
            whole(user)
        kubectl(user, "uncordon", WORKERS[0])
        lost_none(met, "drain of a node")
        assert not any(pod["spec"]["nodeName"] == WORKERS[0] for pod in pods(user))

    def test_an_upgrade_and_a_rollback_lose_none(self, user: Inside) -> None:
        helm = ["--namespace=todo", "--wait", "--timeout=600s"]
        chart = str(PROJECT / "charts/todo-app")
        before = json.loads(
            user.run("helm", "history", "todo-app", "--namespace=todo", "--output=json").stdout
        )
        with people(user) as met:
            mark = ["--reuse-values", "--set-string=backend.podAnnotations.field/upgrade=1"]
            mark += ["--set-string=frontend.podAnnotations.field/upgrade=1"]
            mark += ["--set-string=mcp-server.podAnnotations.field/upgrade=1"]
            done = user.run("helm", "upgrade", "todo-app", chart, *mark, *helm, timeout=700)
            assert done.returncode == 0, done.stdout
            done = user.run("helm", "rollback", "todo-app", str(before[-1]["revision"]), *helm, timeout=700)
            assert done.returncode == 0, done.stdout
        whole(user)
        lost_none(met, "upgrade and rollback")

    def test_redis_is_killed_and_its_data_found_again(self, user: Inside) -> None:
        script = 'REDISCLI_AUTH="$(cat /etc/redis/auth/password)" redis-cli "$@"'
        ask = ["exec", "--namespace=todo", "redis-0", "--", "sh", "-c", script, "sh"]
        assert kubectl(user, *ask, "SET", "field", "kept").strip() == "OK"
        time.sleep(2)  # it writes to its volume every second
        kubectl(user, "delete", "pod", "redis-0", "--namespace=todo", "--grace-period=0", "--force")
        kubectl(user, "rollout", "status", "statefulset/redis", "--namespace=todo", "--timeout=180s")
        assert kubectl(user, *ask, "GET", "field").strip() == "kept"

    def test_a_node_is_killed(self, user: Inside) -> None:
        """How many requests fail, and until when, is told; afterwards all are answered again."""
        whole(user)
        with people(user) as met:
            killed = time.time()
            assert user.run("docker", "kill", WORKERS[1]).returncode == 0
            time.sleep(150)
            quiet = time.time()
            time.sleep(30)
        late = [each for at, each in met["failures"] if at > quiet]
        last = max((at - killed for at, _ in met["failures"]), default=0.0)
        phases.TABLE.append(
            f"production kill of a node: {len(met['failures'])} of {met['answered'] + len(met['failures'])}"
            f" requests failed, the last {last:.0f} s after it"
        )
        assert late == []
        assert user.run("docker", "start", WORKERS[1]).returncode == 0
        begun = time.monotonic()
        whole(user)
        phases.TABLE.append(f"production whole again {time.monotonic() - begun:.0f} s after its start")


def evict(user: Inside, pod: str) -> subprocess.CompletedProcess[str]:
    file = Path(user.environment["KUBECONFIG"]).with_name("eviction.json")
    metadata = {"name": pod, "namespace": "todo"}
    file.write_text(json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}))
    path = f"/api/v1/namespaces/todo/pods/{pod}/eviction"
    return user.run("kubectl", "create", "--raw", path, "--filename", str(file))
