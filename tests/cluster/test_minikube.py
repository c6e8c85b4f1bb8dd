"""minikube: the seed's own commands, a profile of ours alone is deleted, JSON is read. Answers are recorded shapes."""

from __future__ import annotations

import json

import pytest

from runbook.actions.ledger import Ledger
from runbook.cluster import minikube
from runbook.cluster.minikube import LEDGER_KIND, Minikube
from runbook.errors import CommandFailed, RunbookError, Unmeasurable
from runbook.settings import Settings
from tests.cluster.recorded import Answer, Recorded

M = "minikube --profile todo"
RUNNING = json.dumps(
    {
        "Name": "todo",
        "Host": "Running",
        "Kubelet": "Running",
        "APIServer": "Running",
        "Kubeconfig": "Configured",
    }
)
STOPPED = (7, json.dumps({"Name": "todo", "Host": "Stopped", "Kubelet": "Stopped", "APIServer": "Stopped"}))
ABSENT = (85, '* Profile "todo" not found. Run "minikube profile list" to view all profiles.\n')
ID = "ab" * 32


def cluster(settings: Settings, **answers: Answer) -> tuple[Minikube, Recorded]:
    recorded = Recorded({f"{M} {name.replace('_', ' ')}": answer for name, answer in answers.items()})
    return Minikube(settings, recorded.as_commands()), recorded


def silent(_: str) -> None:
    return None


def test_a_new_profile_is_started_as_the_list_says_with_a_network_that_enforces(settings: Settings) -> None:
    found, recorded = cluster(settings, status=ABSENT, start="")
    found.up(silent)
    (start,) = [command for command in recorded.asked if " start " in command]
    for flag in ("--cpus=4", "--memory=8192", "--driver=docker", "--cni=calico", "--interactive=false"):
        assert flag in start.split()
    assert recorded.environment["KUBECONFIG"] == str(found.kubeconfig().path)
    assert Ledger(settings).holds(LEDGER_KIND, "todo")


def test_a_running_profile_is_left_alone(settings: Settings) -> None:
    found, recorded = cluster(settings, status=RUNNING, **{"update-context": ""})
    found.up(silent)
    assert not any(" start" in command for command in recorded.asked)
    assert not Ledger(settings).holds(LEDGER_KIND, "todo")


def test_a_stopped_profile_of_the_user_is_started_and_stays_the_users(settings: Settings) -> None:
    found, recorded = cluster(settings, status=STOPPED, start="")
    found.up(silent)
    found.down(silent)
    assert any(" start " in command for command in recorded.asked)
    assert not any(command.endswith(" delete") for command in recorded.asked)


def test_our_profile_is_deleted_and_looked_for(settings: Settings) -> None:
    Ledger(settings).add(LEDGER_KIND, "todo")
    found, recorded = cluster(settings, status=ABSENT, delete="")
    found.down(silent)
    assert f"{M} delete" in recorded.asked
    assert not Ledger(settings).holds(LEDGER_KIND, "todo")


def test_a_profile_that_survives_its_deletion_is_said(settings: Settings) -> None:
    Ledger(settings).add(LEDGER_KIND, "todo")
    found, _ = cluster(settings, status=RUNNING, delete="")
    with pytest.raises(RunbookError, match="still has the profile"):
        found.down(silent)
    assert Ledger(settings).holds(LEDGER_KIND, "todo")


@pytest.mark.parametrize(
    ("said", "running"), [(RUNNING, True), (STOPPED, False), (ABSENT, False), ("", False)]
)
def test_status(settings: Settings, said: Answer, running: bool) -> None:
    found, _ = cluster(settings, status=said)
    assert found.status().running is running


@pytest.mark.parametrize(("state", "enables"), [("enabled", False), ("disabled", True)])
def test_ingress_is_enabled_once(settings: Settings, state: str, enables: bool) -> None:
    listed = json.dumps({"ingress": {"Profile": "todo", "Status": state}})
    found, recorded = cluster(settings, addons_list=listed, addons_enable_ingress="")
    found.enable_ingress(silent)
    assert (f"{M} addons enable ingress" in recorded.asked) is enables


def test_docker_environment(settings: Settings) -> None:
    said = {
        "DOCKER_HOST": "tcp://192.168.49.2:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": "/certs",
        "OTHER": "x",
    }
    found, _ = cluster(settings, **{"docker-env": json.dumps(said)})
    assert found.docker_environment() == {name: said[name] for name in said if name != "OTHER"}


def test_until_the_profile_runs_the_users_own_docker_builds(settings: Settings) -> None:
    found, _ = cluster(settings, **{"docker-env": (89, "profile not found")})
    assert found.docker_environment() == {}


@pytest.mark.parametrize("said", ["{}", "not JSON"])
def test_no_docker_environment_is_unmeasurable(settings: Settings, said: str) -> None:
    found, _ = cluster(settings, **{"docker-env": said})
    with pytest.raises(Unmeasurable):
        found.docker_environment()


@pytest.mark.parametrize("prefix", ["", "sha256:"])
def test_image_ids(settings: Settings, prefix: str) -> None:
    listed = json.dumps([{"id": prefix + ID, "repoTags": ["docker.io/library/todo-backend:1.0.0"]}])
    found, _ = cluster(settings, image_ls=listed)
    assert found.image_ids() == {"todo-backend:1.0.0": f"sha256:{ID}"}


@pytest.mark.parametrize("listed", ["", "[]", "null"])
def test_no_images(settings: Settings, listed: str) -> None:
    found, _ = cluster(settings, image_ls=listed)
    assert found.image_ids() == {}


def test_only_missing_images_are_loaded(settings: Settings) -> None:
    there = [{"id": ID, "repoTags": ["todo-backend:1.0.0"]}]
    answers = iter([json.dumps(there), json.dumps([*there, {"id": ID, "repoTags": ["todo-frontend:1.0.0"]}])])
    found, recorded = cluster(settings, image_ls=lambda: next(answers), image_load="")
    found.load_images(["todo-backend:1.0.0", "todo-frontend:1.0.0"], silent)
    loads = [command for command in recorded.asked if " load " in command]
    assert loads == [f"{M} image load --daemon=true todo-frontend:1.0.0"]


def test_only_names_that_are_there_are_forgotten(settings: Settings) -> None:
    there = [{"id": ID, "repoTags": ["docker.io/library/todo-backend:1.0.0-drill"]}]
    found, recorded = cluster(settings, image_ls=json.dumps(there), image_rm="")
    found.forget_images(["todo-backend:1.0.0-drill", "todo-frontend:1.0.0-drill"])
    assert [each for each in recorded.asked if " rm " in each] == [f"{M} image rm todo-backend:1.0.0-drill"]


def test_an_image_that_does_not_arrive_is_said(settings: Settings) -> None:
    found, _ = cluster(settings, image_ls="[]", image_load="")
    with pytest.raises(RunbookError, match="does not list todo-backend"):
        found.load_images(["todo-backend:1.0.0"], silent)


def test_a_start_that_fails_is_told_and_still_ours_to_delete(settings: Settings) -> None:
    found, _ = cluster(settings, status=ABSENT, start=(80, ""))
    with pytest.raises(CommandFailed):
        found.up(silent)
    assert Ledger(settings).holds(LEDGER_KIND, "todo")


@pytest.mark.parametrize(("system", "address"), [("Linux", "192.168.49.2"), ("Darwin", "127.0.0.1")])
def test_ingress_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, system: str, address: str
) -> None:
    monkeypatch.setattr(minikube.platform, "system", lambda: system)
    found, _ = cluster(settings, ip="192.168.49.2\n")
    assert found.ingress_address() == address
