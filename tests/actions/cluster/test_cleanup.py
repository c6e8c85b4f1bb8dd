"""Cleanup: only what is ours, each proved gone with a control; twice is fine; what is foreign survives."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from runbook.actions.cluster import cleanup
from runbook.actions.web import hosts
from runbook.engine.errors import Foreign, RunbookError
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.ownership import installation
from runbook.ownership.ledger import Ledger
from runbook.world import World
from tests.actions.package.test_release import FakeHelm
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

MADE_BY = {"todo.runbook/made-by": "todo-runbook"}
"""What an older version put on its namespaces: a name, which anybody can write."""


def space(name: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}}


def thing(kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"kind": kind, "metadata": metadata}


def ours(name: str) -> dict[str, Any]:
    return space(name, installation.labels(Settings()))


@pytest.fixture(autouse=True)
def _hosts_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hosts"
    path.write_text(f"127.0.0.1 localhost\n10.0.0.2 todo.local {hosts.mark(Settings())}\n")
    monkeypatch.setattr(hosts, "HOSTS", path)
    for name in ("present", "remove"):
        original = getattr(hosts, name)
        monkeypatch.setattr(hosts, name, lambda settings, original=original: original(settings, path))


def make(*more: dict[str, Any]) -> tuple[World, FakeApi, FakeCluster]:
    api = FakeApi(space("kube-system"), space("default"), *more)
    cluster = FakeCluster()
    return world_of(Settings(), api=api, helm=FakeHelm(api), cluster=cluster), api, cluster


def outcomes(world: World, **options: bool) -> dict[str, tuple[Status, str]]:
    return {
        each.what: (each.outcome.status, each.outcome.observed)
        for each in cleanup.remove_all(world, **options)
    }


def test_all_that_is_ours_goes_and_is_proved_gone() -> None:
    world, api, cluster = make(ours("todo"), ours("todo-database"), running.release_secret())
    done = cleanup.remove_all(world)
    assert cleanup.exit_code(done) == 0
    parts = ["release", "Dapr", "namespaces", "ingress controller", "hosts entry", "cluster"]
    assert [each.what for each in done] == parts
    assert {name for kind, _, name in api.objects if kind == "Namespace"} == {"kube-system", "default"}
    assert "todo, todo-database are gone, kube-system still answers" in done[2].outcome.observed
    assert cluster.calls == ["down"]
    assert hosts.HOSTS.read_text() == "127.0.0.1 localhost\n"


def definition(labels: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": "components.dapr.io", "labels": labels}
    return {
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {"names": {"kind": "Component"}},
    }


def test_dapr_that_we_installed_goes_with_its_definitions() -> None:
    world, api, _ = make(ours("dapr-system"), definition(installation.labels(Settings())))
    api.put(running.release_secret("dapr", "dapr-system"))
    status, observed = outcomes(world, keep_cluster=True)["Dapr"]
    assert (status, observed) == (Status.PASSED, "Dapr and its definitions are gone")
    assert {kind for kind, _, _ in api.objects} == {"Namespace"}


def test_somebody_elses_dapr_stays() -> None:
    world, api, _ = make(space("dapr-system"), definition({}))
    api.put(running.release_secret("dapr", "dapr-system", installation=""))
    assert outcomes(world, keep_cluster=True)["Dapr"] == (Status.PASSED, "there is no Dapr of ours")
    assert api.get("CustomResourceDefinition", "components.dapr.io")
    assert api.list("Secret", "dapr-system")


def test_twice_is_fine() -> None:
    world, _, _ = make(ours("todo"))
    cleanup.remove_all(world)
    again = cleanup.remove_all(world)
    assert cleanup.exit_code(again) == 0


def test_what_is_foreign_survives_and_keeps_the_cluster() -> None:
    world, api, cluster = make(ours("todo"), space("somebodys"))
    done = outcomes(world)
    assert api.get("Namespace", "somebodys")
    assert api.get("Namespace", "todo") is None
    assert cluster.calls == []
    status, observed = done["cluster"]
    assert status is Status.FAILED
    assert "it holds what is not ours: namespace somebodys" in observed


@pytest.mark.parametrize(
    "labels", [{"env": "development"}, MADE_BY, MADE_BY | {installation.LABEL: "f" * 32}]
)
def test_what_has_our_names_and_not_our_id_survives(labels: dict[str, str]) -> None:
    """The release of somebody who followed the list by hand; the database of somebody else on a shared cluster."""
    foreign = "f" * 32 if installation.LABEL in labels else ""
    there = [space("todo", labels), space("todo-database", labels), space("todo-bob", labels)]
    world, api, cluster = make(*there, running.release_secret(installation=foreign, digest="d" * 40))
    before = copy.deepcopy(api.objects)
    done = outcomes(world)
    assert (api.objects, api.written, cluster.calls) == (before, [], [])
    assert "release todo-app in namespace todo was made by" in done["release"][1]
    assert "not ours stay: todo, todo-bob, todo-database" in done["namespaces"][1]


def test_without_a_pin_nothing_is_removed_and_nothing_pinned() -> None:
    """Another state folder, another HOME: whoever removes something does not choose where."""
    world, api, _ = make(ours("todo"), running.release_secret())
    api.pinned = False
    done = outcomes(world, keep_cluster=True)
    assert done["release"][0] is done["namespaces"][0] is Status.FAILED
    assert api.written == [] and api.get("Namespace", "todo")


def test_a_cluster_of_the_users_own_stays() -> None:
    world, _, cluster = make(ours("todo"))
    cluster.provider, cluster.ours = "existing", False
    assert "cluster" not in outcomes(world)
    assert cluster.calls == []


def test_a_cluster_of_our_name_that_somebody_else_made_stays() -> None:
    world, api, cluster = make(ours("todo"))
    cluster.provider, cluster.ours = "kind", False
    assert "cluster" not in outcomes(world)
    assert (cluster.calls, api.get("Namespace", "todo")) == ([], None)
    refusal = cleanup.cluster_refusal(world)
    assert isinstance(refusal, Foreign) and "was not made by this installation" in refusal.observed


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (space("somebodys"), "namespace somebodys"),
        (space("dapr-system"), "namespace dapr-system"),
        (thing("Deployment", "shop", "default"), "Deployment shop in namespace default"),
        (thing("ConfigMap", "notes", "default"), "ConfigMap notes in namespace default"),
        (thing("CustomResourceDefinition", "widgets.example.com"), "definition widgets.example.com"),
        (running.release_secret("shop", "todo", installation="e" * 32), "release shop in namespace todo"),
        (thing("StatefulSet", "shop", "todo"), "StatefulSet shop in namespace todo"),
    ],
)
def test_what_somebody_else_put_into_our_cluster_keeps_it(there: dict[str, Any], words: str) -> None:
    world, api, cluster = make(
        ours("todo"),
        thing("ConfigMap", "kube-root-ca.crt", "default"),
        thing("Service", "kubernetes", "default"),
    )
    assert cleanup.cluster_refusal(world) is None
    there = copy.deepcopy(there)
    api.put(there)
    refusal = cleanup.cluster_refusal(world)
    assert refusal is not None and words in refusal.observed
    assert cleanup.cluster_refusal(world, unseen=True), "what is seen is never unseen"
    done = outcomes(world)
    assert done["cluster"][0] is Status.FAILED and words in done["cluster"][1]
    assert cluster.calls == [] and there in api.objects.values()
    if there["metadata"].get("namespace") == "todo":
        assert api.get("Namespace", "todo"), "it would have gone with the namespace"


def test_what_cannot_be_looked_at_counts_as_somebody_elses() -> None:
    world, _, cluster = make()
    cluster.running, cluster.stopped = False, True
    done = cleanup.remove_all(world)
    assert done[-1].outcome.status is Status.UNPROVEN
    assert "does not run" in done[-1].outcome.observed and "--unseen" in done[-1].outcome.hint
    assert (cleanup.exit_code(done), cluster.calls) == (3, [])
    assert cleanup.exit_code(cleanup.remove_all(world, unseen=True)) == 0
    assert cluster.calls == ["down"]


def test_an_api_that_is_away_keeps_the_cluster() -> None:
    world, api, cluster = make()
    api.away = True
    assert cleanup.cluster_refusal(world) is not None
    assert cleanup.exit_code(cleanup.remove_all(world)) != 0
    assert cluster.calls == []


def test_a_cluster_of_the_users_own_that_is_down_proves_nothing() -> None:
    world, _, cluster = make()
    cluster.provider, cluster.ours = "existing", False
    cluster.running = False
    done = cleanup.remove_all(world)
    assert done[0].outcome.status is Status.UNPROVEN
    assert cleanup.exit_code(done) == 3


def test_a_cluster_that_does_not_go_is_a_failure() -> None:
    class Stubborn(FakeCluster):
        def down(self, progress: Any) -> None:
            self.calls.append("down")

    api = FakeApi(space("kube-system"))
    world = world_of(Settings(), api=api, helm=FakeHelm(api), cluster=Stubborn())
    done = cleanup.remove_all(world)
    assert done[-1].outcome.status is Status.FAILED
    assert cleanup.exit_code(done) == 1


def test_a_list_without_its_control_is_not_believed() -> None:
    world, api, _ = make(ours("todo"))
    del api.objects["Namespace", "", "kube-system"]
    status, observed = outcomes(world, keep_cluster=True)["namespaces"]
    assert status is Status.UNPROVEN
    assert "shows no namespace kube-system" in observed
    assert api.get("Namespace", "todo")


def test_the_ledger_keeps_order_and_each_thing_once(settings: Settings) -> None:
    ledger = Ledger(settings)
    ledger.add("cluster", "todo")
    ledger.add("hosts entry", "todo.local")
    ledger.add("cluster", "todo")
    assert [(each.kind, each.name) for each in Ledger(settings).entries()] == [
        ("cluster", "todo"),
        ("hosts entry", "todo.local"),
    ]
    ledger.strike("cluster", "todo")
    ledger.strike("cluster", "todo")
    assert not ledger.holds("cluster", "todo")


def test_a_damaged_ledger_is_told_and_not_guessed(settings: Settings) -> None:
    settings.state.mkdir(parents=True, exist_ok=True)
    (settings.state / "ledger.json").write_text("{")
    with pytest.raises(RunbookError, match="cannot be read"):
        Ledger(settings).entries()
