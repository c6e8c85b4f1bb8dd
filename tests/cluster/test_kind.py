"""kind and existing contexts: ours is deleted, a user's stays; what cannot be looked at is unmeasurable."""

from __future__ import annotations

import json

import pytest
import yaml

from runbook.actions.ledger import Ledger
from runbook.cluster.existing import Existing
from runbook.cluster.kind import LEDGER_KIND, Kind
from runbook.errors import RunbookError, Unmeasurable
from runbook.settings import Settings
from tests.cluster.recorded import Answer, Recorded
from tests.worlds import FakeApi


def cluster(settings: Settings, **answers: Answer) -> tuple[Kind, Recorded]:
    recorded = Recorded({name.replace("_", " "): answer for name, answer in answers.items()})
    return Kind(settings, recorded.as_commands()), recorded


def silent(_: str) -> None:
    return None


def test_a_cluster_is_created_with_port_80_of_this_machine_alone(settings: Settings) -> None:
    found, recorded = cluster(settings, kind_get_clusters="other\n", kind_create_cluster="")
    found.up(silent)
    (mapping,) = yaml.safe_load(recorded.stdin[0])["nodes"][0]["extraPortMappings"]
    assert (mapping["hostPort"], mapping["listenAddress"]) == (80, "127.0.0.1")
    assert Ledger(settings).holds(LEDGER_KIND, "todo")


def test_one_that_is_there_is_used_and_not_deleted(settings: Settings) -> None:
    found, recorded = cluster(settings, kind_get_clusters="todo\n", kind_export="")
    found.up(silent)
    found.down(silent)
    assert not any(" create " in command or " delete " in command for command in recorded.asked)


def test_ours_is_deleted_and_looked_for(settings: Settings) -> None:
    Ledger(settings).add(LEDGER_KIND, "todo")
    found, _ = cluster(settings, kind_delete="", kind_get_clusters="")
    found.down(silent)
    assert not Ledger(settings).holds(LEDGER_KIND, "todo")


def test_one_that_survives_its_deletion_is_said(settings: Settings) -> None:
    Ledger(settings).add(LEDGER_KIND, "todo")
    found, _ = cluster(settings, kind_delete="", kind_get_clusters="todo\n")
    with pytest.raises(RunbookError, match="still has"):
        found.down(silent)


def test_image_ids(settings: Settings) -> None:
    listed = json.dumps(
        {"images": [{"id": "sha256:1", "repoTags": ["docker.io/library/todo-backend:1.0.0"]}]}
    )
    found, _ = cluster(settings, docker_exec=listed)
    assert found.image_ids() == {"todo-backend:1.0.0": "sha256:1"}


def existing(api: FakeApi) -> Existing:
    found = Existing(Settings(cluster="existing", context="somewhere"))
    found.__dict__["_api"] = api
    return found


def node(ready: str) -> dict[str, object]:
    conditions = [{"type": "Ready", "status": ready}]
    addresses = [{"type": "InternalIP", "address": "192.0.2.7"}]
    return {
        "kind": "Node",
        "metadata": {"name": "n"},
        "status": {"conditions": conditions, "addresses": addresses},
    }


@pytest.mark.parametrize(("ready", "running"), [("True", True), ("False", False), ("Unknown", False)])
def test_an_existing_cluster_runs_when_all_nodes_are_ready(ready: str, running: bool) -> None:
    assert existing(FakeApi(node(ready))).status().running is running


def test_one_without_nodes_or_answer_does_not_run() -> None:
    away = FakeApi()
    away.away = True
    assert not existing(FakeApi()).status().running
    with pytest.raises(Unmeasurable):
        existing(away).up(silent)


def test_its_ingress_class_is_looked_for() -> None:
    there = {"kind": "IngressClass", "metadata": {"name": "nginx"}}
    existing(FakeApi(there)).enable_ingress(silent)
    with pytest.raises(RunbookError, match="no IngressClass nginx"):
        existing(FakeApi()).enable_ingress(silent)


def test_its_address_is_the_services_else_a_nodes() -> None:
    service = {
        "kind": "Service",
        "metadata": {"name": "ingress-nginx-controller", "namespace": "ingress-nginx"},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.80"}]}},
    }
    assert existing(FakeApi(node("True"), service)).ingress_address() == "192.0.2.80"
    assert existing(FakeApi(node("True"))).ingress_address() == "192.0.2.7"
    with pytest.raises(Unmeasurable):
        existing(FakeApi()).ingress_address()


def test_its_images_are_out_of_reach() -> None:
    with pytest.raises(Unmeasurable):
        existing(FakeApi()).image_ids()
    with pytest.raises(RunbookError, match="cannot be loaded"):
        existing(FakeApi()).load_images(["todo-backend:1.0.0"], silent)
    existing(FakeApi()).forget_images(["todo-backend:1.0.0"])
