"""The list on real clusters: kind with three nodes, and an existing one that takes its images from a registry."""

from __future__ import annotations

import json
import re

import pytest

from tests.field.inside import Inside
from tests.field.phases import STEPS, green

pytestmark = pytest.mark.field


class TestKind:
    @pytest.mark.parametrize("phase", STEPS)
    def test_every_step_is_green_on_three_nodes(self, kind: Inside, phase: str) -> None:
        """The matrix, mutual TLS and the access policies between nodes, without access to these."""
        green(kind, phase)

    def test_a_worker_that_lost_an_image_gets_it_back(self, kind: Inside) -> None:
        name = "docker.io/library/todo-frontend:1.0.0"
        lost = [
            "docker",
            "exec",
            "fieldkind-worker",
            "ctr",
            "--namespace=k8s.io",
            "images",
            "rm",
            "--sync",
            name,
        ]
        assert kind.run(*lost).returncode == 0
        assert "fieldkind-worker does not hold todo-frontend" in kind.inv("verify.step", "T046").stdout
        green(kind, "deploy", "after a worker lost an image")

    def test_stopped_nodes_are_started(self, kind: Inside) -> None:
        nodes = kind.run("kind", "get", "nodes", "--name", "fieldkind").stdout.split()
        assert kind.run("docker", "stop", *nodes).returncode == 0
        assert "exited" in kind.inv("cluster.status").stdout
        green(kind, "deploy", "after a stop of all nodes")

    def test_cleanup_leaves_nothing(self, kind: Inside) -> None:
        done = kind.inv("cleanup", "--yes")
        assert done.returncode == 0, done.stdout
        assert "fieldkind" not in kind.run("kind", "get", "clusters").stdout


class TestExisting:
    @pytest.mark.parametrize("phase", ["deploy", "secure", "db"])
    def test_every_step_is_green(self, existing: Inside, phase: str) -> None:
        green(existing, phase)

    def test_every_image_is_named_by_digest(self, existing: Inside) -> None:
        pods = json.loads(existing.run("kubectl", "get", "pods", "--namespace=todo", "--output=json").stdout)
        images = {each["image"] for pod in pods["items"] for each in pod["spec"]["containers"]}
        assert images and all(
            re.fullmatch(r"localhost:5001/todo-[a-z-]+@sha256:[0-9a-f]{64}", each) for each in images
        )

    def test_cleanup_leaves_the_users_cluster_as_it_was(self, existing: Inside) -> None:
        done = existing.inv("cleanup", "--yes")
        assert done.returncode == 0, done.stdout
        left = existing.run(
            "kubectl", "get", "namespaces,ingressclasses,clusterroles", "--output=name"
        ).stdout
        assert not re.search(r"todo|ingress-nginx|ingressclass|ingress-controller", left), left
        assert "users" in existing.run("kind", "get", "clusters").stdout
