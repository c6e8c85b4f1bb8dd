"""Dapr's control plane: installed with our values, written once, repaired, removed; foreign ones left alone."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.actions.dapr import dapr, dapr_source
from runbook.app.dapr import control_plane
from runbook.app.dapr import ownership as dapr_ownership
from runbook.app.dapr.source import REPOSITORY, Source, version
from runbook.app.dapr.source import source as source_of
from runbook.clients.target import Kubeconfig
from runbook.cluster import docker
from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.errors import CommandFailed, Foreign, Unmeasurable, WrongCluster
from runbook.engine.settings import Settings
from runbook.ownership import installation
from runbook.ownership.ledger import Ledger
from runbook.world import World
from tests.fakes import running
from tests.fakes.recorded import Recorded
from tests.fakes.worlds import FakeApi, FakeCluster, Object, world_of

VERSION = version()
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "components.dapr.io"},
    "spec": {"names": {"kind": "Component"}},
}
FOREIGN = {"todo.runbook/installation": "f" * 32}


class Laptop(FakeCluster):
    """A cluster of the user's own, with its kubeconfig."""

    provider = "kind"

    def __init__(self, folder: Path, current: str = "kind-todo") -> None:
        super().__init__()
        self.path = folder / "kubeconfig"
        self.path.write_text(yaml.safe_dump({"current-context": current}))

    def kubeconfig(self) -> Kubeconfig:
        return Kubeconfig(self.path, "kind-todo")


class Tools(Recorded):
    """Commands of which some are on PATH."""

    def __init__(self, *there: str) -> None:
        super().__init__(dict.fromkeys(there, ""))
        self.there = there

    def find(self, name: str) -> Path | None:
        return Path(name) if name in self.there else None


class FakeHelm:
    """Fetches a chart, and writes the release's record as Helm does."""

    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.calls: list[tuple[str, ...]] = []

    def pull(self, chart: str, repository: str, version: str, folder: Path) -> None:
        self.calls.append(("pull", chart, repository, version))
        crds = folder / chart / "crds"
        crds.mkdir(parents=True)
        (crds / "components.yaml").write_text("---\n" + yaml.safe_dump(DEFINITION))
        (folder / chart / "Chart.yaml").write_text("name: dapr\n")

    def upgrade(self, name: str, chart: Path, space: str, *, values: Any, timeout: float) -> None:
        self.calls.append(("upgrade", name, space))
        number = 1 + len(self.api.list("Secret", space, labels=f"owner=helm,name={name}"))
        objects = [{"kind": "Service", "metadata": {"name": "dapr-sentry", "namespace": space}}]
        for each in objects:
            self.api.put(dict(each))
        self.api.put(
            running.release_secret(
                name,
                space,
                revision=number,
                objects=objects,
                values=values.overrides,
                chart_version=VERSION,
            )
        )

    def uninstall(self, name: str, space: str, **_: Any) -> bool:
        self.calls.append(("uninstall", name))
        for secret in self.api.list("Secret", space, labels=f"owner=helm,name={name}"):
            del self.api.objects["Secret", space, secret["metadata"]["name"]]
        return True


def make(
    tmp_path: Path, *tools: str, current: str = "kind-todo", **chosen: Any
) -> tuple[World, FakeApi, FakeHelm, Tools]:
    api, commands = FakeApi(), Tools(*tools)
    helm = FakeHelm(api)
    cluster = Laptop(tmp_path, current)
    return (
        world_of(Settings(**chosen), api=api, helm=helm, cluster=cluster, commands=commands),
        api,
        helm,
        commands,
    )


def installed(tmp_path: Path) -> tuple[World, FakeApi, FakeHelm]:
    world, api, helm, _ = make(tmp_path)
    dapr.install(world)
    return world, api, helm


def record(api: FakeApi) -> Object:
    return api.objects["Secret", "dapr-system", "sh.helm.release.v1.dapr.v1"]


def test_it_is_installed_by_helm_with_definitions_first(tmp_path: Path) -> None:
    world, api, helm = installed(tmp_path)
    assert helm.calls == [
        ("pull", "dapr", REPOSITORY, VERSION),
        ("upgrade", "dapr", "dapr-system"),
    ]
    assert ("create", "CustomResourceDefinition", "components.dapr.io") in api.written
    assert control_plane.problems(world) == []
    namespace = api.get("Namespace", "dapr-system")
    assert namespace
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_values_close_what_the_chart_leaves_open(tmp_path: Path) -> None:
    world, _, _, _ = make(tmp_path)
    given = control_plane.values(world, Source(VERSION, tmp_path, "todo.runbook/dapr:1"))
    assert given["global"]["mtls"] == {"enabled": True, "workloadCertTTL": "24h", "allowedClockSkew": "15m"}
    injector = given["dapr_sidecar_injector"]
    assert injector["webhookFailurePolicy"] == "Fail"
    assert injector["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "todo"}}
    assert injector["sidecarDropALLCapabilities"] is True
    assert injector["image"] == injector["injectorImage"] == {"name": "todo.runbook/dapr:1"}
    assert given["dapr_rbac"] == {"secretReader": {"enabled": False}}


def test_with_its_cli_a_laptop_installs_as_the_list_has_it(tmp_path: Path) -> None:
    world, _, helm, commands = make(tmp_path, "dapr")
    dapr.install(world)
    (command,) = commands.asked
    assert command.startswith(
        f"dapr init -k --wait --timeout 300 --runtime-version {VERSION} --namespace dapr-system --set "
    )
    assert "--set global.mtls.workloadCertTTL=24h" in command
    assert "--set global.actors.enabled=false" in command
    assert (
        "--set dapr_sidecar_injector.namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=todo"
        in command
    )
    assert commands.environment["KUBECONFIG"] == str(tmp_path / "kubeconfig")
    assert [call[0] for call in helm.calls] == ["pull"]


def test_the_cli_is_not_let_loose_on_another_context(tmp_path: Path) -> None:
    world, _, helm, commands = make(tmp_path, "dapr", current="production")
    dapr.install(world)
    assert commands.asked == []
    assert [call[0] for call in helm.calls] == ["pull", "upgrade"]


def test_what_is_missing_or_changed_is_told(tmp_path: Path) -> None:
    world, api, _ = installed(tmp_path)
    api.objects["CustomResourceDefinition", "", "components.dapr.io"]["metadata"]["annotations"] = {}
    del api.objects["Service", "dapr-system", "dapr-sentry"]
    del api.objects["Namespace", "", "dapr-system"]["metadata"]["labels"][
        "pod-security.kubernetes.io/enforce"
    ]
    told = "; ".join(control_plane.problems(world))
    assert "definition components.dapr.io is of another version" in told
    assert "Service dapr-sentry of the release is not there" in told
    assert "namespace dapr-system lacks pod-security.kubernetes.io/enforce=restricted" in told
    dapr.install(world)
    assert control_plane.problems(world) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chart_version": "1.12.0"}, "Dapr 1.12.0 is installed, not"),
        ({"values": {"global": {"mtls": {"enabled": False}}}}, "value global.mtls.enabled is not as wanted"),
        ({"status": "failed"}, "revision 1 of release dapr is failed"),
    ],
)
def test_another_release_is_told(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    world, api, _ = installed(tmp_path)
    api.put(running.release_secret("dapr", "dapr-system", **change))
    assert any(words in problem for problem in control_plane.problems(world))


def test_no_release_and_no_chart(tmp_path: Path) -> None:
    world, _, helm, _ = make(tmp_path)
    with pytest.raises(Unmeasurable, match="neither fetched nor built"):
        control_plane.problems(world)
    dapr_source.prepare(world)
    assert control_plane.problems(world) == ["there is no release dapr in namespace dapr-system"]
    dapr_source.prepare(world)
    assert len(helm.calls) == 1


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Dapr's repository is out of reach, and Dapr is built: what is brought into Docker, then to the nodes."""
    brought: list[str] = []

    def away(*_: object) -> None:
        raise CommandFailed("`helm pull` ended with exit status 1: no such host")

    monkeypatch.setattr(FakeHelm, "pull", away)
    monkeypatch.setattr(Toolchain, "install", lambda *_, **__: ())
    monkeypatch.setattr(Toolchain, "binary", lambda _self, name: tmp_path / name)
    monkeypatch.setattr(Toolchain, "chart", lambda _self, _name: tmp_path / "chart")
    monkeypatch.setattr(docker, "hold", lambda image, *_: brought.append(f"docker {image.reference}"))
    monkeypatch.setattr(
        Laptop,
        "load_images",
        lambda _self, references, _: brought.extend(f"nodes {each}" for each in references),
        raising=False,
    )
    (tmp_path / "dapr").write_text("the program")
    return brought


def test_out_of_reach_of_its_repository_dapr_is_built(tmp_path: Path, carried: list[str]) -> None:
    """Its chart and image are the embedded node's; the image goes to every node like any of ours."""
    world, _, _, _ = make(tmp_path)
    found = dapr_source.prepare(world)
    assert found.image.startswith("todo.runbook/dapr:")
    assert found.chart == tmp_path / "chart"
    assert carried == [f"docker {found.image}", f"nodes {found.image}"]
    assert source_of(world) == found


def test_what_is_built_is_not_installed_by_the_cli(tmp_path: Path, carried: list[str]) -> None:
    """`dapr init -k` takes the chart of Dapr's own repository."""
    world, _, helm, commands = make(tmp_path, "dapr")
    dapr.install(world)
    assert carried
    assert commands.asked == []
    assert [call[0] for call in helm.calls] == ["upgrade"]
    assert control_plane.problems(world) == []


def test_the_repository_alone_may_be_wanted(tmp_path: Path, carried: list[str]) -> None:
    world, _, _, _ = make(tmp_path, dapr="repository")
    with pytest.raises(CommandFailed, match="no such host"):
        dapr_source.prepare(world)
    with pytest.raises(Unmeasurable, match="not fetched yet"):
        source_of(world)
    assert carried == []


def test_the_module_alone_may_be_wanted(tmp_path: Path, carried: list[str]) -> None:
    """Also where the official chart was fetched before."""
    world, _, _, _ = make(tmp_path, dapr="module")
    fetched = world.settings.cache / "charts" / f"dapr-{VERSION}" / "dapr"
    fetched.mkdir(parents=True)
    (fetched / "Chart.yaml").write_text("name: dapr\n")
    assert dapr_source.prepare(world).image
    assert len(carried) == 2
    assert source_of(make(tmp_path)[0]).image == ""


def test_by_a_registry_it_runs_by_digest_with_the_pull_secret(
    tmp_path: Path, carried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _, _, _ = make(tmp_path, registry="registry.example.org/team", pull_secret="ours")
    pinned = "registry.example.org/team/todo.runbook/dapr@sha256:" + "d" * 64
    monkeypatch.setattr(Laptop, "pod_image", lambda *_: pinned)
    given = control_plane.values(world, dapr_source.prepare(world))
    assert given["dapr_sidecar_injector"]["image"] == given["dapr_sentry"]["image"] == {"name": pinned}
    assert given["global"]["imagePullSecrets"] == [{"name": "ours"}]


def named(kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    """An object with labels, annotations or other fields."""
    metadata: Object = {"name": name, "labels": fields.pop("labels", {})}
    metadata["annotations"] = fields.pop("annotations", {})
    return {"kind": kind, "metadata": metadata | ({"namespace": namespace} if namespace else {}), **fields}


CRD = "CustomResourceDefinition"
ELSEWHERE = {"meta.helm.sh/release-name": "dapr", "meta.helm.sh/release-namespace": "platform"}
HERE = {"meta.helm.sh/release-name": "dapr", "meta.helm.sh/release-namespace": "dapr-system"}
INJECTORS = [{"name": "sidecar-injector.dapr.io"}]


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ([named(CRD, "components.dapr.io")], "definition components.dapr.io was not made by this"),
        ([named(CRD, "components.dapr.io", annotations=ELSEWHERE)], "definition components.dapr.io"),
        (
            [named(CRD, "components.dapr.io", annotations={"argocd.argoproj.io/tracking-id": "x"})],
            "definition",
        ),
        ([named(CRD, "components.dapr.io", annotations={"todo.runbook/digest": "1"})], "definition"),
        ([named(CRD, "subscriptions.dapr.io", labels=FOREIGN)], "another installation (ffffffff)"),
        ([named("MutatingWebhookConfiguration", "x", webhooks=INJECTORS)], "MutatingWebhookConfiguration x"),
        (
            [named("MutatingWebhookConfiguration", "x", webhooks=INJECTORS, annotations=HERE)],
            "MutatingWebhookConfiguration x",
        ),
        (
            [named("Deployment", "op", "platform", labels={"app": "dapr-operator"})],
            "Deployment op in namespace platform",
        ),
        (
            [named("StatefulSet", "p", "x", labels={"app": "dapr-placement-server"})],
            "StatefulSet p in namespace x",
        ),
        ([named("Namespace", "dapr-system")], "namespace dapr-system was not made by this installation"),
        ([named("Namespace", "dapr-system", labels=FOREIGN)], "another installation (ffffffff)"),
        (
            [named("Namespace", "dapr-system", labels={"todo.runbook/made-by": "todo-runbook"})],
            "namespace dapr-system",
        ),
        ([running.release_secret("dapr", "dapr-system", installation="")], "release dapr in namespace"),
        (
            [running.release_secret("dapr", "dapr-system", installation="f" * 32)],
            "was made by another installation (ffffffff)",
        ),
    ],
)
def test_somebody_elses_dapr_is_found_wherever_it_is_and_not_touched(
    tmp_path: Path, there: list[Object], words: str
) -> None:
    world, api, helm, commands = make(tmp_path, "dapr")
    for each in there:
        api.put(each)
    before = copy.deepcopy(api.objects)
    with pytest.raises(Foreign, match=re.escape(words)):
        dapr.install(world)
    assert dapr.remove(world) == []
    assert (helm.calls, commands.asked, api.written, api.objects) == ([], [], [], before)
    assert any(words in problem for problem in control_plane.problems(world))


def test_dapr_that_somebody_else_works_with_is_not_removed(tmp_path: Path) -> None:
    """With a definition the API server deletes every object of its kind, in all namespaces."""
    world, api, helm = installed(tmp_path)
    api.put(named("Component", "statestore", "todo"))
    api.put(named("Namespace", "todo", labels=installation.labels(world.settings)))
    api.put(named("Component", "orders-state", "billing"))
    helm.calls.clear()
    written = list(api.written)
    with pytest.raises(Foreign, match="Component orders-state in namespace billing"):
        dapr.remove(world)
    assert (helm.calls, api.written) == ([], written)
    del api.objects["Component", "billing", "orders-state"]
    assert dapr.remove(world) == []


def test_what_is_removed_is_on_the_pinned_cluster(tmp_path: Path) -> None:
    world, api, helm = installed(tmp_path)
    helm.calls.clear()
    api.pinned = False
    with pytest.raises(WrongCluster):
        dapr.remove(world)
    assert helm.calls == []


def test_all_that_is_made_carries_the_id_from_its_creation(tmp_path: Path) -> None:
    world, api, _ = installed(tmp_path)
    assert ("create", CRD, "components.dapr.io") in api.written
    for kind, name in ((CRD, "components.dapr.io"), ("Namespace", "dapr-system")):
        assert installation.owns(world.settings, api.get(kind, name))
    api.objects[CRD, "", "components.dapr.io"]["metadata"]["annotations"] = {}
    dapr.install(world)
    assert installation.owns(world.settings, api.get(CRD, "components.dapr.io")), "also after an update"


def test_a_release_that_its_cli_made_for_us_is_marked_and_another_is_not(tmp_path: Path) -> None:
    world, api, _, _ = make(tmp_path, "dapr")
    dapr.install(world)
    api.put(running.release_secret("dapr", "dapr-system", installation=""))  # and there it was killed
    assert "release dapr" in dapr_ownership.left(world)
    dapr.install(world)
    assert installation.owns(world.settings, record(api))
    Ledger(world.settings).strike(dapr_ownership.KIND, "dapr")
    for each in api.list("Secret", "dapr-system", labels="owner=helm"):
        del api.objects["Secret", "dapr-system", each["metadata"]["name"]]
    api.put(running.release_secret("dapr", "dapr-system", installation=""))
    assert "release dapr" not in dapr_ownership.left(world)


def test_a_helm_that_was_killed_is_repaired_first(tmp_path: Path) -> None:
    world, api, helm = installed(tmp_path)
    record(api)["metadata"]["labels"]["status"] = "pending-install"
    helm.calls.clear()
    dapr.install(world)
    assert helm.calls == [("uninstall", "dapr"), ("upgrade", "dapr", "dapr-system")]


def test_all_of_it_goes_and_twice_is_fine(tmp_path: Path) -> None:
    world, api, _ = installed(tmp_path)
    assert dapr.remove(world) == []
    assert api.get("Namespace", "dapr-system") is None
    assert dapr_ownership.our_definitions(world) == []
    assert not Ledger(world.settings).holds(dapr_ownership.KIND, "dapr")
    assert dapr.remove(world) == []
