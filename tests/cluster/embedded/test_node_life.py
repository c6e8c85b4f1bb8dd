"""A whole life of a node, for real and beside any other: up, used, broken, repaired, down. About a minute."""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbook.clients.kube.api import Api
from runbook.cluster.embedded import addons, images
from runbook.cluster.embedded.node import Embedded
from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually

TOOLCHAIN = Toolchain(Settings())  # before the tests' own folders: the real cache
SPACE = "life"
WRITES = ("create", "update", "patch", "delete", "deletecollection")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0 or bool(TOOLCHAIN.missing()), reason="needs root and inv setup"),
]


class Placed(Settings):
    """Settings whose state folder stays the same from test to test."""

    home: Path

    @property
    def state(self) -> Path:
        return self.home / self.cluster_name


def silent(_: str) -> None:
    return None


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    settings = Placed(cluster="embedded", cluster_name="todo-life", home=tmp_path_factory.mktemp("state"))
    found = Embedded(settings, TOOLCHAIN.binary)
    try:
        found.up(silent)
        found.enable_ingress(silent)
        yield found
    finally:
        found.down(silent)


class Pods:
    """Pods in a namespace of the test, and commands in their networks."""

    def __init__(self, node: Embedded) -> None:
        self.node = node
        self.api = Api(node.settings, node)

    @cached_property
    def image(self) -> dict[str, str]:
        return {
            name.split("/")[1].split(":")[0]: name for name in images.held(self.node.sandbox) if "/" in name
        }

    def make(self, name: str, image: str, *arguments: str, claim: str = "", space: str = SPACE) -> None:
        container: dict[str, Any] = {"name": "it", "image": self.image[image], "imagePullPolicy": "Never"}
        spec: dict[str, Any] = {"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
        if arguments:
            container["args"] = list(arguments)
        if claim:
            container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
            spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
        metadata = {"name": name, "namespace": space, "labels": {"app": name}}
        self.api.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": metadata,
                "spec": spec | {"containers": [container]},
            }
        )

    def running(self, name: str, space: str = SPACE) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            found = self.api.get("Pod", name, space)
            if found is None or found["status"].get("phase") != "Running":
                raise NotYet(f"{name}: {(found or {}).get('status', {}).get('phase', 'absent')}")
            return found

        return eventually(look, timeout=60, every=0.1, wanted=f"pod {name} Running")

    def inside(self, name: str, *argv: str, space: str = SPACE) -> str:
        """Run a program of the machine in the pod's network."""
        container = self.running(name, space)["status"]["containerStatuses"][0]["containerID"].partition(
            "//"
        )[2]
        tasks = self.node.sandbox.run(["ctr", "--namespace=k8s.io", "task", "ls"]).splitlines()
        (pid,) = [line.split()[1] for line in tasks if line.startswith(container)]
        return self.node.sandbox.run(["nsenter", f"--target={pid}", "--net", "--", *argv], timeout=30)

    def reaches(self, name: str, url: str, space: str = SPACE) -> bool:
        script = (
            "import sys, urllib.request, urllib.error\n"
            "try: urllib.request.urlopen(sys.argv[1], timeout=1.5)\n"
            "except urllib.error.HTTPError: print('answered')\n"
            "except OSError: print('silent')\n"
        )
        return self.inside(name, sys.executable, "-c", script, url, space=space).strip() == "answered"

    def settles(self, name: str, url: str, wanted: bool) -> None:
        def look() -> None:
            if self.reaches(name, url) is not wanted:
                raise NotYet(f"{name} {'does not reach' if wanted else 'reaches'} it")

        eventually(look, timeout=15, every=0.2, wanted=f"{name}: {'open' if wanted else 'closed'}")


@pytest.fixture(scope="module")
def pods(node: Embedded) -> Pods:
    found = Pods(node)
    found.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    found.make("server", "traefik", "--entrypoints.web.address=:8000")
    found.make("friend", "pause")
    found.make("stranger", "pause")
    return found


def test_it_is_ready_and_its_ingress_answers(node: Embedded) -> None:
    assert node.status().running, node.status()
    assert httpx.get(f"http://{node.ingress_address()}/", trust_env=False).status_code == 404
    assert node.kubeconfig().path.stat().st_mode & 0o777 == 0o600


def may(node: Embedded, who: str, *question: str) -> bool:
    kubectl = [str(TOOLCHAIN.binary("kubectl")), f"--kubeconfig={node.kubeconfig().path}", "auth", "can-i"]
    answer = subprocess.run([*kubectl, *question, f"--as={who}"], capture_output=True, text=True, check=False)
    assert answer.stdout.strip() in ("yes", "no"), answer.stderr
    return answer.stdout.strip() == "yes"


def test_the_ingress_controller_serves_and_reads_our_namespace_alone(node: Embedded, pods: Pods) -> None:
    """Also one that was deleted and made again."""
    controller = "system:serviceaccount:ingress-nginx:ingress-controller"
    space = node.settings.namespace
    assert not may(node, controller, "list", "secrets", "-n", space)
    backend = {"service": {"name": "web", "port": {"number": 80}}}

    def gone() -> None:
        if pods.api.get("Namespace", space) is not None:
            raise NotYet("the namespace is there")

    for again in (False, True):
        if again:
            pods.api.delete("Namespace", space)
            eventually(gone, timeout=60, every=0.2, wanted="the namespace gone")
        pods.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
        node.enable_ingress(silent)
        assert may(node, controller, "list", "secrets", "-n", space)
        assert not may(node, controller, "list", "secrets", "-n", "kube-system")
        assert not may(node, controller, "list", "secrets", "--all-namespaces")
        pods.make(
            "web",
            "traefik",
            "--entrypoints.web.address=:8000",
            "--ping",
            "--ping.entrypoint=web",
            space=space,
        )
        for each in (
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "web", "namespace": space},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]},
            },
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {"name": "web", "namespace": space},
                "spec": {
                    "ingressClassName": "nginx",
                    "rules": [
                        {
                            "host": "web.test",
                            "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                        }
                    ],
                },
            },
        ):
            pods.api.apply(each)

        def served() -> None:
            answer = httpx.get(
                f"http://{node.ingress_address()}/ping", headers={"Host": "web.test"}, trust_env=False
            )
            if answer.status_code != 200:
                raise NotYet(f"answered {answer.status_code}")

        eventually(served, timeout=20, every=0.1, wanted="the Ingress served")


def test_the_ingress_controller_does_not_reach_what_it_does_not_serve(node: Embedded, pods: Pods) -> None:
    (controller,) = pods.api.list("Pod", addons.INGRESS_NAMESPACE)
    name = controller["metadata"]["name"]
    url = f"http://{pods.running('server')['status']['podIP']}:8000/"
    pods.settles("friend", url, wanted=True)  # the control: it is there for others
    assert not pods.reaches(name, url, addons.INGRESS_NAMESPACE)


def writes(node: Embedded) -> int:
    """What people, and not the node's own parts, had the API server write."""
    lines = [json.loads(line) for line in node.audit_log.read_text().splitlines()]
    return sum(line["user"]["username"] == "administrator" and line["verb"] in WRITES for line in lines)


def test_a_second_up_writes_nothing(node: Embedded) -> None:
    before, pid, states = writes(node), node.sandbox.pid(), node.sandbox.states()
    assert before > 0
    node.up(silent)
    node.enable_ingress(silent)
    assert writes(node) == before
    assert node.sandbox.pid() == pid
    assert [s.partition("pid")[2] for s in node.sandbox.states().values()] == [
        s.partition("pid")[2] for s in states.values()
    ]


def test_nobody_gets_in_without_a_name(node: Embedded) -> None:
    with httpx.Client(
        verify=False, trust_env=False, base_url=f"https://{node.ingress_address()}:6443"
    ) as client:
        assert client.get("/api/v1/secrets").status_code == 401


def test_policies_are_enforced_and_a_dead_engine_closes(node: Embedded, pods: Pods) -> None:
    url = f"http://{pods.running('server')['status']['podIP']}:8000/"
    pods.settles("friend", url, wanted=True)
    pods.settles("stranger", url, wanted=True)
    friend = {"from": [{"podSelector": {"matchLabels": {"app": "friend"}}}]}
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "friends", "namespace": SPACE},
        "spec": {
            "podSelector": {"matchLabels": {"app": "server"}},
            "policyTypes": ["Ingress"],
            "ingress": [friend],
        },
    }
    pods.api.apply(policy)
    pods.settles("stranger", url, wanted=False)
    assert pods.reaches("friend", url)
    pods.api.delete("NetworkPolicy", "friends", SPACE)
    pods.settles("stranger", url, wanted=True)
    engine = node.sandbox.run(["pidof", "kube-network-policies"]).split()
    node.sandbox.run(["kill", "-STOP", *engine])
    try:
        assert not pods.reaches("friend", url)
    finally:
        node.sandbox.run(["kill", "-CONT", *engine])
    pods.settles("friend", url, wanted=True)


def test_an_address_that_no_pod_has_is_unreachable_at_once(node: Embedded, pods: Pods) -> None:
    """As a pod has it that was deleted: its callers do not wait for an answer that cannot come."""
    script = (
        "import errno, socket, sys, time\n"
        "began = time.monotonic()\n"
        "code = socket.socket().connect_ex((sys.argv[1], 80))\n"
        "print(errno.errorcode[code], time.monotonic() - began < 5)\n"
    )
    gone = str(ipaddress.ip_network(node._configuration().addresses.pods)[-2])
    assert pods.inside("friend", sys.executable, "-c", script, gone).split() == ["EHOSTUNREACH", "True"]


def test_names_of_services_are_answered_and_foreign_ones_refused(node: Embedded, pods: Pods) -> None:
    script = (
        "import socket, sys\n"
        "name = b''.join(bytes([len(w)]) + w.encode() for w in sys.argv[2].split('.')) + b'\\0'\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3)\n"
        "s.sendto(b'\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + name + b'\\0\\1\\0\\1', (sys.argv[1], 53))\n"
        "r = s.recv(512); print(r[3] & 15, '.'.join(map(str, r[-4:])))\n"
    )
    network = node._configuration().addresses

    def ask(name: str) -> list[str]:
        return pods.inside("friend", sys.executable, "-c", script, network.dns_service, name).split()

    assert ask("kubernetes.default.svc.cluster.local") == ["0", network.api_service]
    assert ask("example.org")[0] == "3"  # NXDOMAIN, at once


def test_a_claim_gets_a_volume(node: Embedded, pods: Pods) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    metadata = {"name": "data", "namespace": SPACE}
    pods.api.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})
    pods.make("keeper", "pause", claim="data")
    pods.running("keeper")
    claim = pods.api.get("PersistentVolumeClaim", "data", SPACE)
    assert claim is not None
    assert claim["status"]["phase"] == "Bound"


def test_a_node_that_lacks_what_it_needs_does_not_count_as_running(node: Embedded, pods: Pods) -> None:
    """As where bringing it up broke off half-way."""
    pods.api.delete("DaemonSet", "kube-network-policies", "kube-system")

    def missed() -> None:
        if node.status().running:
            raise NotYet("it counts as running")

    eventually(missed, timeout=20, every=0.1, wanted="the engine missed")
    assert node.status().detail == "the engine of network policies has no Ready pod"
    node.up(silent)
    assert node.status().running


@pytest.mark.parametrize("part", ["etcd", "kube-apiserver", "containerd", "kubelet", "kube-proxy"])
def test_a_killed_part_is_up_again(node: Embedded, part: str) -> None:
    pid = node.sandbox.states()[part].partition("pid ")[2].rstrip(")")
    node.sandbox.run(["kill", "-9", pid])
    node.up(silent)
    state = node.sandbox.states()[part]
    assert state.startswith("up")
    assert f"(pid {pid})" not in state
    assert node.status().running


def test_a_killed_node_comes_back_with_what_it_held(node: Embedded, pods: Pods) -> None:
    first = node.sandbox.pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)

    def ended() -> None:
        if node.sandbox.running():
            raise NotYet("it still runs")

    eventually(ended, timeout=20, every=0.05, wanted="the node ended")
    assert not node.status().running
    node.up(silent)
    node.enable_ingress(silent)
    assert node.sandbox.pid() != first
    assert pods.api.get("PersistentVolumeClaim", "data", SPACE) is not None
    assert httpx.get(f"http://{node.ingress_address()}/", trust_env=False).status_code == 404


def test_down_leaves_nothing_and_twice_is_fine(node: Embedded) -> None:
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if node.name in line]
    assert mounts == []  # of a running node the machine sees none
    assert len(node.leftovers()) > 3
    node.down(silent)
    assert node.leftovers() == []
    kept = [path.name for path in node.settings.state.iterdir()]
    assert kept == ["installation"]  # the id outlives the cluster: images carry it
    node.down(silent)
    assert node.status().detail == "there is none"
