"""What somebody else has on the cluster stays byte for byte as it was; each refusal names it in a line.

First beside the deployed application, which a cleanup takes away at the end; then in the places that a deploy would
take. The cluster is left empty: the last module removes it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import Answer, inv
from planting import Hands

from runbook.app.dapr import control_plane
from runbook.app.dapr.source import source
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually
from runbook.ownership import installation
from runbook.world import World

Object = dict[str, Any]

ANOTHER = "f" * 32
"""The id of another installation."""

CLUSTER_OF_SOMEBODY = ("stays: it holds what is not ours", "namespace neighbours")


def _metadata(kind: str, name: str, space: str = "", **labels: str) -> Object:
    core = {"Namespace", "ConfigMap", "Secret", "PersistentVolumeClaim"}
    place = {"namespace": space} if space else {}
    version = "v1" if kind in core else "apps/v1"
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "labels": labels | {"team": "theirs"}, **place},
    }


def _space(name: str, owner: str = "") -> Object:
    found = _metadata("Namespace", name)
    found["metadata"]["labels"] |= {installation.LABEL: owner} if owner else {}
    return found


def _controller(name: str, space: str) -> Object:
    """A workload without pods: nothing has to be in the registry of nobody."""
    pod = {"containers": [{"name": "it", "image": "theirs/it:1"}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}
    return _metadata("Deployment", name, space, app=name) | {"spec": spec}


def _claim(name: str, space: str) -> Object:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return _metadata("PersistentVolumeClaim", name, space) | {"spec": wanted}


def _data(name: str, space: str) -> Object:
    return _metadata("ConfigMap", name, space) | {"data": {"kept": "by its owner"}}


def neighbours(settings: Settings) -> list[Object]:
    """Another installation's namespace; and a Dapr of no installer, under names of its own, with a Component in use."""
    definitions = list(control_plane.definitions(source(World.of(settings)).chart))
    for each in definitions:
        del each["metadata"]["annotations"][control_plane.DIGEST]
    component = {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "statestore", "namespace": "neighbours"},
        "spec": {"type": "state.in-memory", "version": "v1", "metadata": []},
        "scopes": ["their-app"],
    }
    user = _controller("their-app", "neighbours")
    user["spec"]["template"]["metadata"]["annotations"] = {
        "dapr.io/enabled": "true",
        "dapr.io/app-id": "their-app",
    }
    hook = {
        "name": "sidecar-injector.dapr.io",
        "clientConfig": {"service": {"name": "injector", "namespace": "mesh-system", "path": "/mutate"}},
        "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "neighbours"}},
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    webhook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "their-injector"},
        "webhooks": [hook],
    }
    return [
        *definitions,
        _space("neighbours", ANOTHER),
        _space("mesh-system"),
        _controller("dapr-operator", "mesh-system"),
        webhook,
        component,
        user,
        _data("notes", "neighbours"),
        _claim("data", "neighbours"),
    ]


def squatters() -> list[Object]:
    """In the places that a deploy would take: our namespace, and the database of another installation."""
    return [
        _space("todo"),
        _data("settings", "todo"),
        _space("todo-database", ANOTHER),
        _claim("data-postgres-0", "todo-database"),
    ]


class Theirs:
    """Objects made by their own tools, and what they were when they had settled."""

    def __init__(self, world: World, things: list[Object]) -> None:
        self.world, self.things = world, things
        self.kubectl = Hands(world).kubectl
        self.remove()  # what an aborted run left
        definitions = [each for each in things if each["kind"] == "CustomResourceDefinition"]
        if definitions:
            self._create(definitions)
            names = [f"crd/{each['metadata']['name']}" for each in definitions]
            self.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)
        self._create([each for each in things if each not in definitions])
        self.before = self.settled()

    def _create(self, things: list[Object]) -> None:
        self.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(things))

    def now(self) -> str:
        """All of them as the API serves them: resource version, the owner of each field, status."""
        asked = ["get", "-f", "-", "-o", "json", "--show-managed-fields", "--ignore-not-found"]
        return self.kubectl(*asked, stdin=yaml.safe_dump_all(self.things))

    def settled(self) -> str:
        last = ""

        def same() -> None:
            nonlocal last
            before, last = last, self.now()
            if before != last:
                raise NotYet("their controllers are at work")

        eventually(same, timeout=60, every=1.0, wanted="their objects at rest")
        assert last.count('"uid"') >= len(self.things), "one of them was never there"
        return last

    def assert_untouched(self) -> None:
        assert self.now() == self.before

    def remove(self) -> None:
        self.kubectl("delete", "-f", "-", "--ignore-not-found", stdin=yaml.safe_dump_all(self.things[::-1]))


def refused(answer: Answer, *words: str) -> None:
    """In one line of what was seen, beside what is wanted and what to try."""
    told = answer.stdout + answer.stderr
    assert answer.code in (1, 2), told
    (line,) = [line for line in told.splitlines() if all(word in line for word in words)][:1] or [""]
    assert line, told
    assert "try" in told, told
    assert "Traceback" not in told


@pytest.fixture(scope="module")
def beside(deployed: Answer, settings: Settings) -> Iterator[Theirs]:
    assert deployed.code == 0, deployed.stderr
    theirs = Theirs(World.of(settings), neighbours(settings))
    yield theirs
    theirs.remove()


@pytest.fixture(scope="module")
def instead(beside: Theirs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theirs]:
    """After our own are gone: theirs where ours would be, and a release by Helm itself."""
    theirs = Theirs(beside.world, squatters())
    _install_by_hand(beside.world, tmp_path_factory.mktemp("chart"))
    theirs.things += [_metadata("Secret", "sh.helm.release.v1.todo-app.v1", "todo"), _data("by-hand", "todo")]
    theirs.before = theirs.settled()
    yield theirs
    theirs.remove()


def _install_by_hand(world: World, chart: Path) -> None:
    """The release `todo-app` in namespace `todo`, as somebody who follows the list by hand makes it."""
    (chart / "templates").mkdir()
    about = {"apiVersion": "v2", "name": "theirs", "version": "1.0.0"}
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "by-hand"},
        "data": {"kept": "by Helm"},
    }
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about))
    (chart / "templates" / "it.yaml").write_text(yaml.safe_dump(made))
    pinned = world.cluster.kubeconfig()
    where = [f"--kubeconfig={pinned.path}", f"--kube-context={pinned.context}", "--namespace=todo"]
    argv = [world.clients.built("helm"), "install", "todo-app", chart, *where]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)


def test_a_deploy_goes_on_beside_them(beside: Theirs) -> None:
    answer = inv("deploy", "--json")
    assert answer.code == 0, answer.stderr
    assert not [step["id"] for step in answer.document["steps"] if step["status"] != "passed"]
    beside.assert_untouched()


@pytest.mark.parametrize("command", ["dapr", "dapr.install"])
def test_no_dapr_is_installed_over_theirs(beside: Theirs, command: str) -> None:
    refused(inv(command), "a Dapr of somebody else is on this cluster", "definition components.dapr.io")
    beside.assert_untouched()


def test_removing_dapr_leaves_theirs_and_says_so(beside: Theirs) -> None:
    answer = inv("dapr.remove")
    assert answer.code == 0, answer.stderr
    assert "stays: definition components.dapr.io was not made by this installation" in answer.stdout
    beside.assert_untouched()


def test_the_cluster_stays_while_they_are_in_it(beside: Theirs) -> None:
    refused(inv("cluster.down", "--yes"), *CLUSTER_OF_SOMEBODY)
    beside.assert_untouched()


def test_a_cleanup_takes_what_is_ours_and_leaves_the_cluster_with_what_is_theirs(
    beside: Theirs, settings: Settings
) -> None:
    answer = inv("cleanup", "--yes")
    refused(answer, *CLUSTER_OF_SOMEBODY)
    beside.assert_untouched()
    spaces = World.of(settings).api.list("Namespace")
    assert not [each["metadata"]["name"] for each in spaces if installation.owns(settings, each)]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("deploy",), ("namespace todo was not made by this installation",)),
        (("secure",), ("namespace todo was not made by this installation",)),
        (("dapr",), ("was not made by this installation",)),
        (("cluster.down", "--yes"), (*CLUSTER_OF_SOMEBODY, "namespace todo")),
        (("cleanup", "--yes"), (*CLUSTER_OF_SOMEBODY, "namespace todo")),
    ],
)
def test_what_is_in_our_places_is_refused_by_name(
    beside: Theirs, instead: Theirs, command: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(inv(*command), *words)
    instead.assert_untouched()
    beside.assert_untouched()


def test_the_database_of_another_installation_is_not_shared(beside: Theirs, instead: Theirs) -> None:
    """Its namespace has a fixed name: on a shared cluster a second installation is refused, not merged."""
    answer = inv("deploy", environment={"TODO_NAMESPACE": "todo-second"})
    refused(answer, f"namespace todo-database was made by another installation ({ANOTHER[:8]})")
    assert instead.world.api.get("Namespace", "todo-second") is None
    instead.assert_untouched()


def test_mutants_are_not_planted_in_what_is_theirs(beside: Theirs, instead: Theirs) -> None:
    refused(inv("verify.mutants", "security"), "namespace todo was not made by this installation")
    instead.assert_untouched()


def test_removing_dapr_without_any_of_ours_changes_nothing(beside: Theirs, instead: Theirs) -> None:
    assert inv("dapr.remove").code == 0
    instead.assert_untouched()
    beside.assert_untouched()
