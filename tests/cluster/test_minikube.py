"""minikube: the list's own command where it can work, a profile of ours alone is deleted. Answers are recorded."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import pytest

from runbook.clients.holdings import Holdings
from runbook.cluster.embedded.toolchain import Toolchain
from runbook.cluster.existing import Existing
from runbook.cluster.minikube import LEDGER_KIND, Minikube
from runbook.engine.errors import CommandFailed, RunbookError, TimedOut, Unmeasurable, UsageError
from runbook.engine.settings import Settings
from runbook.ownership import installation
from runbook.ownership.ledger import Ledger
from tests.cluster import minikube_answers as said
from tests.fakes.recorded import Answer, Recorded
from tests.fakes.worlds import FakeApi, usable

M = "minikube --profile todo"
B = "todo-b:1.0.0"


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary user on Linux."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.delenv("MINIKUBE_FORCE", raising=False)


def cluster(
    settings: Settings, docker: Answer = said.DOCKER, left: Answer = "", **answers: Answer
) -> tuple[Minikube, Recorded]:
    """minikube's answers by their command; `docker`: `docker info`; `left`: containers and volumes of the profile."""
    known: dict[str, Answer] = {f"{M} profile list": said.NO_PROFILES, "docker info": docker}
    known |= {"docker ps": left, "docker volume ls": left, "docker buildx version": ""}
    known["docker context inspect"] = "unix:///var/run/docker.sock"
    known |= {f"{M} {name.replace('_', ' ')}": answer for name, answer in answers.items()}
    recorded = Recorded(known)
    found = Minikube(settings, recorded.as_commands())
    found.__dict__["_api"] = usable("todo")
    return found, recorded


def silent(_: str) -> None:
    return None


def one_after_another(*answers: Answer) -> Answer:
    """Each time it is asked the next answer, then for ever the last."""
    left = list(answers)

    def answer() -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def started(recorded: Recorded) -> list[str]:
    (start,) = [command for command in recorded.asked if f"{M} start" in command]
    return start.split()


def deleted(recorded: Recorded) -> bool:
    return f"{M} delete" in recorded.asked


def ours(settings: Settings) -> str:
    """`profile list` of a profile that this installation made."""
    Ledger(settings).add(LEDGER_KIND, "todo")
    return said.profiles(installation.identity(settings))


# Up


def test_a_new_profile_is_started_as_the_list_says_with_a_network_that_enforces(settings: Settings) -> None:
    found, recorded = cluster(settings, status=said.ABSENT, start="")
    found.up(silent)
    flags = started(recorded)
    assert {"--cpus=4", "--memory=8192", "--driver=docker", "--cni=calico", "--interactive=false"} <= set(
        flags
    )
    assert {"--container-runtime=docker", "--wait=all"} <= set(flags)
    assert f"--extra-config=kubelet.node-labels={installation.LABEL}={installation.known(settings)}" in flags
    assert recorded.environment["KUBECONFIG"] == str(found.kubeconfig().path)
    assert Ledger(settings).holds(LEDGER_KIND, "todo")


@pytest.mark.parametrize(
    ("cpus", "megabytes", "wanted"),
    [
        (2, 24105, "2 8192"),
        (3, 7836, "3 7324"),
        (16, 64000, "4 8192"),
        (4, 2400, "4 1888"),
        (0, 0, "4 8192"),
    ],
)
def test_its_size_fits_what_docker_has(settings: Settings, cpus: int, megabytes: int, wanted: str) -> None:
    words: list[str] = []
    found, recorded = cluster(settings, said.docker_info(cpus, megabytes), status=said.ABSENT, start="")
    found.up(words.append)
    size = [flag.partition("=")[2] for flag in started(recorded) if flag.startswith(("--cpus", "--memory"))]
    assert " ".join(size) == wanted
    assert any("not 4 and 8192" in word for word in words) is (wanted != "4 8192")


def test_the_settings_name_what_is_made(tmp_path: Path) -> None:
    manifest = tmp_path / "network.yaml"
    manifest.touch()
    settings = Settings(
        cpus=3,
        memory=6000,
        runtime="containerd",
        cni=str(manifest),
        kubernetes_version="v1.35.4",
        node_image="mine:1",
    )
    found, recorded = cluster(settings, status=said.ABSENT, start="")
    found.up(silent)
    assert {
        *("--cpus=3", "--memory=6000", "--container-runtime=containerd", f"--cni={manifest}"),
        *("--kubernetes-version=v1.35.4", "--base-image=mine:1"),
    } <= set(started(recorded))


def test_a_network_that_is_no_file_is_refused() -> None:
    found, recorded = cluster(Settings(cni="calicoo"), status=said.ABSENT, start="")
    with pytest.raises(UsageError, match=r"calicoo.*wanted: calico, cilium, kindnet, or the manifest"):
        found.up(silent)
    assert not any(" start" in command for command in recorded.asked)


@pytest.mark.parametrize(("cni", "told"), [("bridge", True), ("cilium", False)])
def test_a_network_that_does_not_enforce_is_told(cni: str, told: bool) -> None:
    words: list[str] = []
    found, recorded = cluster(Settings(cni=cni), status=said.ABSENT, start="")
    found.up(words.append)
    assert f"--cni={cni}" in started(recorded)
    assert any("does not enforce NetworkPolicy" in word for word in words) is told


@pytest.mark.parametrize(("asked", "word"), [({"cpus": 9}, "cpus"), ({"memory": 17000}, "memory")])
def test_more_than_docker_has_is_refused(asked: dict[str, int], word: str) -> None:
    found, recorded = cluster(Settings(**asked), status=said.ABSENT, start="")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"{word} is set to .* Docker has 8 CPUs and 16000 MB"):
        found.up(silent)
    assert not any(" start" in command for command in recorded.asked)


@pytest.mark.parametrize(("cpus", "megabytes"), [(1, 16000), (4, 1900)])
def test_too_little_for_minikube_is_refused(settings: Settings, cpus: int, megabytes: int) -> None:
    found, _ = cluster(settings, said.docker_info(cpus, megabytes), status=said.ABSENT)
    with pytest.raises(UsageError, match="too little for minikube"):
        found.up(silent)
    assert not Ledger(settings).entries()


def test_another_driver_needs_no_docker_to_start() -> None:
    found, recorded = cluster(Settings(driver="kvm2"), said.NO_DOCKER, status=said.ABSENT, start="")
    found.up(silent)
    assert "--driver=kvm2" in started(recorded)


@pytest.mark.parametrize("status", [said.ABSENT, said.STOPPED])
def test_root_is_refused_before_anything_is_asked_of_minikube(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, status: Answer
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    found, recorded = cluster(settings, status=status)
    with pytest.raises(UsageError, match=r"refuses root.*try: .*TODO_CLUSTER=embedded"):
        found.up(silent)
    assert not any(" start" in command for command in recorded.asked)


def test_root_that_forces_minikube_is_served(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("MINIKUBE_FORCE", "true")
    found, recorded = cluster(settings, status=said.ABSENT, start="")
    found.up(silent)
    assert started(recorded)


@pytest.mark.parametrize("status", [said.RUNNING, said.MISCONFIGURED])
def test_a_running_profile_is_left_alone_and_our_kubeconfig_follows_it(
    settings: Settings, status: Answer
) -> None:
    found, recorded = cluster(settings, status=status, **{"update-context": ""})
    stale = found.kubeconfig().path
    stale.parent.mkdir(parents=True)
    stale.write_text("of a profile that is no more")
    found.up(silent)
    assert recorded.asked[-1] == f"{M} update-context"
    assert not stale.exists()
    assert not any(" start" in command for command in recorded.asked)
    assert not Ledger(settings).holds(LEDGER_KIND, "todo")


@pytest.mark.parametrize("status", [said.STOPPED, said.HALF])
def test_a_stopped_profile_of_the_user_is_started_as_it_is_and_stays_the_users(
    settings: Settings, status: Answer
) -> None:
    words: list[str] = []
    found, recorded = cluster(settings, status=status, start="", profile_list=said.profiles(driver="kvm2"))
    found.up(words.append)
    found.down(silent)
    flags = started(recorded)
    assert not any(
        flag.startswith(("--cpus", "--memory", "--driver", "--cni", "--extra-config")) for flag in flags
    )
    assert any("keeps the size, driver and network" in word for word in words)
    assert not deleted(recorded)


@pytest.mark.parametrize("status", [said.STOPPED, said.RUNNING])
def test_it_is_up_when_dns_is_ready_and_not_before(
    settings: Settings, status: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """minikube returns from the start of a stopped profile while DNS is away for some seconds yet."""
    monkeypatch.setattr("runbook.cluster.existing.READY_SECONDS", 0.3)
    found, _ = cluster(settings, status=status, start="", **{"update-context": ""})
    found.__dict__["_api"] = usable("todo", dns=False)
    with pytest.raises(TimedOut, match="DNS has no ready endpoint"):
        found.up(silent)


@pytest.mark.parametrize("profiles", [said.profiles(), said.profiles("f" * 32), "not JSON", ""])
def test_a_broken_profile_that_is_not_ours_is_refused_and_never_ours(
    settings: Settings, profiles: str
) -> None:
    installation.identity(settings)
    found, recorded = cluster(settings, status=said.UNREADABLE, profile_list=profiles)
    with pytest.raises(RunbookError, match=r"did not make it.*minikube delete -p todo"):
        found.up(silent)
    found.down(silent)
    assert not deleted(recorded)
    assert not Ledger(settings).holds(LEDGER_KIND, "todo")
    assert found.status().parts  # or the cluster would be remembered as one that was not there before


def test_a_broken_profile_of_ours_is_made_again(settings: Settings) -> None:
    answers = one_after_another(said.UNREADABLE, said.ABSENT)
    found, recorded = cluster(
        settings, status=answers, profile_list=ours(settings), delete=said.DELETED, start=""
    )
    found.up(silent)
    assert deleted(recorded)
    assert "--cpus=4" in started(recorded)


@pytest.mark.parametrize("mine", [True, False])
def test_while_docker_is_away_nothing_is_made_or_deleted(settings: Settings, mine: bool) -> None:
    profiles = ours(settings) if mine else said.profiles()
    found, recorded = cluster(settings, said.NO_DOCKER, status=said.DOCKER_AWAY, profile_list=profiles)
    with pytest.raises(Unmeasurable, match="Docker does not answer"):
        found.up(silent)
    assert not any(" start" in each or each.endswith(" delete") for each in recorded.asked)
    if mine:
        with pytest.raises(Unmeasurable, match="Docker does not answer"):
            found.down(silent)
        assert Ledger(settings).holds(LEDGER_KIND, "todo")
    assert not deleted(recorded)


def test_what_minikube_forgot_and_docker_still_holds_is_not_taken_over(settings: Settings) -> None:
    found, recorded = cluster(settings, status=said.ABSENT, left="dde095addae8\n")
    with pytest.raises(RunbookError, match=r"still holds container dde095addae8.*minikube delete -p todo"):
        found.up(silent)
    assert not any(" start" in command for command in recorded.asked)


@pytest.mark.parametrize(
    ("answer", "seen", "way"),
    [
        (said.TOO_FEW_CORES, "RSRC_INSUFFICIENT_CORES: Requested cpu count 4", "TODO_CPUS=2"),
        (said.AS_ROOT, "DRV_AS_ROOT", "ordinary user"),
        (
            (
                64,
                "",
                "X Exiting due to MK_USAGE: Docker Desktop has only 7836MB memory but you specified 8192MB",
            ),
            "7836MB",
            "TODO_MEMORY=4096",
        ),
        (
            (
                81,
                "",
                'X Exiting due to GUEST_DRIVER_MISMATCH: The existing "todo" cluster was created using "kvm2"',
            ),
            "kvm2",
            "TODO_DRIVER=",
        ),
        ((80, "", ""), "no output", "logs --problems"),
    ],
)
def test_a_start_that_fails_says_why_and_a_way_that_is_not_the_same_command(
    settings: Settings, answer: Answer, seen: str, way: str
) -> None:
    found, _ = cluster(settings, status=said.ABSENT, start=answer)
    with pytest.raises(CommandFailed) as error:
        found.up(silent)
    assert seen in error.value.observed
    assert way in error.value.hint
    assert " start --cpus" not in error.value.hint
    assert Ledger(settings).holds(LEDGER_KIND, "todo")


# Down


def test_our_profile_is_deleted_and_looked_for(settings: Settings) -> None:
    answers = one_after_another(said.RUNNING, said.ABSENT)
    found, recorded = cluster(settings, status=answers, profile_list=ours(settings), delete=said.DELETED)
    found.down(silent)
    assert deleted(recorded)
    assert any("label=name.minikube.sigs.k8s.io=todo" in command for command in recorded.asked)
    assert not Ledger(settings).holds(LEDGER_KIND, "todo")


@pytest.mark.parametrize("installed", ["", "f" * 32])
def test_a_profile_made_by_another_under_our_name_stays(settings: Settings, installed: str) -> None:
    ours(settings)  # the ledger remembers one of that name
    found, recorded = cluster(settings, status=said.RUNNING, profile_list=said.profiles(installed))
    found.down(silent)
    assert not deleted(recorded)


def test_a_profile_that_survives_its_deletion_is_said(settings: Settings) -> None:
    found, _ = cluster(settings, status=said.RUNNING, profile_list=ours(settings), delete="")
    with pytest.raises(RunbookError, match="still has the profile"):
        found.down(silent)
    assert Ledger(settings).holds(LEDGER_KIND, "todo")


@pytest.mark.parametrize("first", [said.RUNNING, said.ABSENT])
def test_it_is_not_gone_while_docker_holds_its_container_or_volume(settings: Settings, first: Answer) -> None:
    found, _ = cluster(
        settings,
        status=one_after_another(first, said.ABSENT),
        profile_list=ours(settings),
        delete=said.DELETED,
        left="todo\n",
    )
    with pytest.raises(RunbookError, match="Docker still holds container todo, volume todo"):
        found.down(silent)
    assert Ledger(settings).holds(LEDGER_KIND, "todo")


def test_nothing_to_delete(settings: Settings) -> None:
    found, recorded = cluster(settings, status=said.ABSENT)
    found.down(silent)
    assert not deleted(recorded)


# Status


@pytest.mark.parametrize(
    ("answer", "running", "word"),
    [
        (said.RUNNING, True, "profile todo runs"),
        (said.MISCONFIGURED, False, "kubeconfig does not lead to it"),
        (said.STOPPED, False, "does not run"),
        (said.HALF, False, "does not run"),
        (said.ABSENT, False, "there is no profile"),
        ((85, ""), False, "there is no profile"),
        (said.UNREADABLE, False, "its container or Docker is not"),
    ],
)
def test_status(settings: Settings, answer: Answer, running: bool, word: str) -> None:
    found, _ = cluster(settings, status=answer, profile_list=said.profiles())
    status = found.status()
    assert status.running is running
    assert word in status.detail


def test_every_node_counts(settings: Settings) -> None:
    worker = '{"Name":"todo-m02","Host":"Stopped","Kubelet":"Stopped","APIServer":"Irrelevant","Worker":true}'
    found, _ = cluster(settings, status=(7, f"[{said.RUNNING.strip()},{worker}]"))
    assert found.status().running is False


# Ingress


def with_addon(settings: Settings, addons: str, **answers: Answer) -> tuple[Minikube, Recorded]:
    known: dict[str, Answer] = {
        "addons list": addons,
        "addons images": said.ADDON_IMAGES,
        "addons enable ingress": "",
        "image pull": "",
        "image ls": "[]",
    }
    found, recorded = cluster(
        settings, **{name.replace(" ", "_"): answer for name, answer in (known | answers).items()}
    )
    found.__dict__["_api"] = FakeApi()
    return found, recorded


DISABLED = '{"ingress":{"Profile":"todo","Status":"disabled"}}'
PULLED = json.dumps(
    [{"id": "9" * 64, "repoDigests": [f"example.org/controller@sha256:{'8' * 64}"], "repoTags": []}]
)


def test_an_enabled_ingress_addon_is_left_alone(settings: Settings) -> None:
    found, recorded = with_addon(settings, DISABLED.replace("disabled", "enabled"))
    found.enable_ingress(silent)
    assert [each for each in recorded.asked if "addons" in each] == [f"{M} addons list --output=json"]


@pytest.mark.parametrize("images", [said.ADDON_IMAGES, "| IMAGE NAME | DEFAULT IMAGE |"])
def test_the_addon_is_enabled_where_the_node_gets_its_images(settings: Settings, images: str) -> None:
    found, recorded = with_addon(settings, DISABLED, image_ls=PULLED, **{"addons images": images})
    found.enable_ingress(silent)
    assert f"{M} addons enable ingress" in recorded.asked


def test_a_controller_that_is_there_is_not_replaced(settings: Settings) -> None:
    """A user's own stays, and ours learns which namespace it serves."""
    found, recorded = with_addon(settings, DISABLED)
    found.__dict__["_api"] = FakeApi({"kind": "IngressClass", "metadata": {"name": "nginx"}})
    found.enable_ingress(silent)
    assert not any("addons" in each for each in recorded.asked)


@pytest.mark.parametrize("addons", [DISABLED, "{}"])
def test_where_the_addon_cannot_work_another_controller_serves_the_class(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, addons: str
) -> None:
    """Its images are out of reach, or a later minikube has retired it."""
    served: list[str] = []
    monkeypatch.setattr(Existing, "enable_ingress", lambda each, _: served.append(each.name))
    found, recorded = with_addon(settings, addons)
    found.enable_ingress(silent)
    assert served == ["todo"]
    assert f"{M} addons enable ingress" not in recorded.asked


DESKTOP = said.docker_info(OperatingSystem="Docker Desktop")
ROOTLESS = said.docker_info(SecurityOptions=["name=rootless"])


def test_the_nodes_address_where_docker_runs_here(settings: Settings) -> None:
    found, _ = cluster(settings, status=said.RUNNING, profile_list=said.profiles(), ip="192.168.49.2\n")
    assert found.ingress_address() == "192.168.49.2"


def test_the_nodes_address_of_another_driver(settings: Settings) -> None:
    profiles = said.profiles(driver="kvm2")
    found, _ = cluster(settings, DESKTOP, status=said.RUNNING, profile_list=profiles, ip="192.168.39.7\n")
    assert found.ingress_address() == "192.168.39.7"


@pytest.mark.parametrize("where", [DESKTOP, ROOTLESS])
@pytest.mark.parametrize(
    ("published", "way"), [("127.0.0.1:8080\n", ("127.0.0.1", 8080)), ((1, ""), ("forwarded", 40001))]
)
def test_elsewhere_the_published_port_else_it_is_forwarded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, where: str, published: Answer, way: tuple[str, int]
) -> None:
    monkeypatch.setattr(Existing, "_way_in", lambda *_: ("forwarded", 40001))
    found, recorded = cluster(settings, where, status=said.RUNNING, profile_list=said.profiles())
    recorded.answers["docker port todo 80/tcp"] = published
    assert (found.ingress_address(), found.ingress_port()) == way


def test_the_way_is_asked_once_after_each_start(settings: Settings) -> None:
    found, recorded = cluster(
        settings,
        status=said.RUNNING,
        profile_list=said.profiles(),
        ip=one_after_another("192.168.49.2\n", "192.168.49.3\n"),
        **{"update-context": ""},
    )
    assert [found.ingress_address(), found.ingress_address()] == ["192.168.49.2"] * 2
    found.up(silent)
    assert found.ingress_address() == "192.168.49.3"
    assert recorded.asked.count(f"{M} ip") == 2


@pytest.mark.parametrize(("where", "publishes"), [(said.DOCKER, False), (DESKTOP, True), (ROOTLESS, True)])
def test_a_profile_that_is_made_publishes_its_port_where_only_that_reaches_it(
    settings: Settings, where: str, publishes: bool
) -> None:
    found, recorded = cluster(settings, where, status=said.ABSENT, start="")
    found.up(silent)
    assert ("--ports=127.0.0.1:80:80" in started(recorded)) is publishes


# Images


def test_with_a_registry_images_take_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    found, recorded = cluster(Settings(registry="registry.example.org/team"))
    for name in ("holdings", "load_images"):
        monkeypatch.setattr(Existing, name, lambda *_: Holdings())
    assert found.docker_environment() == {}
    assert found.holdings([B]) == Holdings()
    found.load_images([B], silent)
    found.forget_images([B])
    assert not any(command.startswith("minikube") for command in recorded.asked)


def test_builds_wait_for_the_engine_of_the_node() -> None:
    assert Minikube(Settings()).builds_inside
    assert not Minikube(Settings(runtime="containerd")).builds_inside
    assert not Minikube(Settings(registry="registry.example.org")).builds_inside


def test_docker_environment(settings: Settings) -> None:
    # The real one writes shell lines unless --shell=none comes with --output=json.
    found, _ = cluster(
        settings, **{"docker-env": said.SHELL_LINES, "docker-env --shell=none --output=json": said.DOCKER_ENV}
    )
    assert found.docker_environment() == {
        "DOCKER_HOST": "tcp://192.168.49.2:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": "/home/me/.minikube/certs",
        "MINIKUBE_ACTIVE_DOCKERD": "todo",
    }


def test_a_docker_client_without_buildx_gets_ours(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toolchain, "docker_config", "/toolchain/docker-config")
    found, recorded = cluster(settings, **{"docker-env": said.DOCKER_ENV})
    recorded.answers |= {
        "docker buildx version": (1, "docker: 'buildx' is not a docker command."),
        "docker context inspect": "unix:///run/user/1000/docker.sock\n",
    }
    environment = found.docker_environment()
    assert environment["DOCKER_HOST"] == "tcp://192.168.49.2:2376"
    assert environment["DOCKER_CONFIG"] == "/toolchain/docker-config"


@pytest.mark.parametrize("answer", said.NO_DOCKER_ENV.values(), ids=said.NO_DOCKER_ENV)
def test_until_the_profile_runs_the_users_own_docker_builds(settings: Settings, answer: Answer) -> None:
    found, _ = cluster(settings, **{"docker-env": answer})
    assert found.docker_environment() == {}


@pytest.mark.parametrize(
    "answer",
    [
        '{"DOCKER_HOST":"ssh://docker@127.0.0.1:32772","SSH_AUTH_SOCK":"/tmp/agent"}',
        (
            64,
            "",
            "X Exiting due to MK_USAGE: The docker-env command is incompatible with this container runtime",
        ),
    ],
)
def test_a_node_without_docker_leaves_the_users_own(settings: Settings, answer: Answer) -> None:
    found, _ = cluster(settings, **{"docker-env": answer})
    assert found.docker_environment() == {}


@pytest.mark.parametrize("answer", ["{}", said.SHELL_LINES])
def test_no_docker_environment_is_unmeasurable(settings: Settings, answer: str) -> None:
    found, _ = cluster(settings, **{"docker-env": answer})
    with pytest.raises(Unmeasurable):
        found.docker_environment()


def test_what_the_node_holds(settings: Settings) -> None:
    found, _ = cluster(settings, image_ls=said.LISTED)
    image = found.holdings().image(B)
    assert image is not None
    assert image.id == f"sha256:{said.LISTED_ID}"


@pytest.mark.parametrize("listed", ["", "[]", "null"])
def test_no_images(settings: Settings, listed: str) -> None:
    found, _ = cluster(settings, image_ls=listed)
    assert found.holdings().image(B) is None


def engine(image: str) -> dict[str, Answer]:
    """The engine that builds holds B under this id."""
    return {"docker image inspect": json.dumps([{"Id": f"sha256:{image}", "RepoTags": [B]}])}


def with_engine(settings: Settings, image: str, **answers: Answer) -> tuple[Minikube, Recorded]:
    found, recorded = cluster(settings, **answers)
    recorded.answers |= engine(image)
    return found, recorded


def test_what_the_node_holds_is_not_loaded(settings: Settings) -> None:
    found, recorded = with_engine(
        settings, said.LISTED_ID, image_ls=said.LISTED, **{"docker-env": said.DOCKER_ENV}
    )
    found.load_images([B], silent)
    assert not any(" load " in command for command in recorded.asked)


def test_a_new_image_under_an_old_tag_is_loaded(settings: Settings) -> None:
    now = said.LISTED.replace(said.LISTED_ID, "c" * 64)
    found, recorded = with_engine(
        settings,
        "c" * 64,
        image_ls=one_after_another(said.LISTED, now),
        image_load="",
        **{"docker-env": (83, "")},
    )
    found.load_images([B], silent)
    assert f"{M} image load --daemon=true {B}" in recorded.asked


def test_an_engine_that_tells_the_manifest_is_compared_by_it(settings: Settings) -> None:
    listed = said.LISTED.replace('"repoDigests":[]', f'"repoDigests":["todo-b@sha256:{"d" * 64}"]')
    found, recorded = with_engine(settings, "d" * 64, image_ls=listed, **{"docker-env": (83, "")})
    found.load_images([B], silent)
    assert not any(" load " in command for command in recorded.asked)


@pytest.mark.parametrize(("listed", "word"), [(said.LISTED, "holds another"), ("[]", "does not hold")])
def test_an_image_that_does_not_arrive_is_said(settings: Settings, listed: str, word: str) -> None:
    found, _ = with_engine(
        settings, "c" * 64, image_ls=listed, image_load=said.LOAD_OF_NOTHING, **{"docker-env": (83, "")}
    )
    with pytest.raises(RunbookError, match=f"after loading, todo {word}"):
        found.load_images([B], silent)


def test_only_names_that_are_there_are_forgotten(settings: Settings) -> None:
    found, recorded = cluster(settings, image_ls=one_after_another(said.LISTED, "[]"), image_rm="")
    found.forget_images([B, "todo-frontend:1.0.0-drill"])
    assert [each for each in recorded.asked if " rm " in each] == [f"{M} image rm {B}"]


def test_a_name_in_use_is_told(settings: Settings) -> None:
    found, _ = cluster(settings, image_ls=said.LISTED, image_rm=said.IMAGE_IN_USE)
    with pytest.raises(RunbookError, match=f"keeps {B}: a container still uses it"):
        found.forget_images([B])


def test_a_stop_is_for_a_profile_that_was_made_here_and_runs(settings: Settings) -> None:
    found, recorded = cluster(settings, status=said.RUNNING, stop="", profile_list=ours(settings))
    found.stop(silent)
    assert f"{M} stop" in recorded.asked
    assert not deleted(recorded)
    found, recorded = cluster(settings, status=said.STOPPED, profile_list=ours(settings))
    found.stop(silent)
    found, recorded = cluster(settings, status=said.RUNNING, profile_list=said.profiles("f" * 32))
    with pytest.raises(UsageError, match="was not made here"):
        found.stop(silent)
    assert f"{M} stop" not in recorded.asked


def test_how_pods_reach_this_machine(settings: Settings) -> None:
    said = "192.168.49.1    STREAM host.minikube.internal\n192.168.49.1    DGRAM  \n"
    found, _ = cluster(settings, ssh=said)
    assert found.machine_address() == "192.168.49.1"
    without, _ = cluster(settings, ssh="")
    with pytest.raises(UsageError, match="does not know how to reach this machine"):
        without.machine_address()
