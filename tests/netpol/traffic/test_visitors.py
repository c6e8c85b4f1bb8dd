"""Pods that are sent: restricted, answering, owned by the scratch namespace, and taken back whatever happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runbook.app.application import BACKEND
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.netpol.traffic import visitors
from runbook.netpol.traffic.visitors import ABANDONED, LABEL, Visitor, make_room, visiting
from runbook.ownership.installation import LABEL as INSTALLATION
from runbook.ownership.installation import labels
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

SENT = (Visitor("neighbour", "todo"), Visitor("stranger"))


class Kubelet(FakeApi):
    """Runs what is applied, unless a test says otherwise."""

    runs = True

    def apply(self, manifest: Any, namespace: str | None = None) -> Any:
        made = super().apply(manifest, namespace)
        if made["kind"] == "Pod" and self.runs:
            ready = [{"type": "Ready", "status": "True"}]
            made["status"] = {"phase": "Running", "podIP": "10.1.0.9", "conditions": ready}
        return made


def world(settings: Settings, api: FakeApi) -> World:
    return world_of(settings, api=api, cluster=FakeCluster())


def test_they_are_there_and_then_gone(settings: Settings) -> None:
    api = Kubelet(running.pod(BACKEND))
    with visiting(world(settings, api), SENT, purpose="survey") as visit:
        assert set(visit.pods) == {"neighbour", "stranger"}
        assert visit.pods["neighbour"]["metadata"]["namespace"] == "todo"
        assert visit.pods["stranger"]["metadata"]["namespace"] == visit.namespace
        assert api.get("Namespace", visit.namespace) is not None
    assert api.get("Namespace", visit.namespace) is None
    assert [pod["metadata"]["name"] for pod in api.list("Pod", "todo")] == ["backend-1"]


def test_they_keep_to_the_restricted_standard_and_borrow_the_backends_image(settings: Settings) -> None:
    api = Kubelet(running.pod(BACKEND))
    with visiting(world(settings, api), SENT, purpose="survey") as visit:
        pod = visit.pods["neighbour"]
        space = api.get("Namespace", visit.namespace)
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "todo-backend:1.0.0"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "Namespace"
    assert "app.kubernetes.io/name" not in pod["metadata"]["labels"]
    assert space is not None
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_they_are_taken_back_after_an_error_too(settings: Settings) -> None:
    api = Kubelet(running.pod(BACKEND))
    with pytest.raises(ZeroDivisionError), visiting(world(settings, api), SENT, purpose="survey"):
        raise ZeroDivisionError
    assert api.list("Namespace") == []
    assert len(api.list("Pod", "todo")) == 1


def test_pods_that_do_not_start_are_unmeasurable_and_taken_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "READY_SECONDS", 0.3)
    api = Kubelet(running.pod(BACKEND))
    api.runs = False
    with (
        pytest.raises(Unmeasurable, match="did not start"),
        visiting(world(settings, api), SENT, purpose="survey"),
    ):
        pass
    assert api.list("Namespace") == []


def test_without_the_backends_image_nobody_can_be_sent(settings: Settings) -> None:
    with (
        pytest.raises(Unmeasurable, match="no pod of the backend"),
        visiting(world(settings, Kubelet()), SENT, purpose="survey"),
    ):
        pass


@pytest.mark.parametrize(
    ("born", "older", "left"),
    [
        ("2020-01-01T00:00:00Z", ABANDONED, 0),
        ("2999-01-01T00:00:00Z", ABANDONED, 2),
        ("2026-01-01T00:00:00Z", timedelta(0), 0),  # whoever runs alone
    ],
)
def test_only_what_is_abandoned_is_removed(
    settings: Settings, born: str, older: timedelta, left: int
) -> None:
    api = FakeApi(
        *(
            {
                "kind": kind,
                "metadata": {"name": name, "labels": marks | {LABEL: "old"}, "creationTimestamp": born},
            }
            for name, marks in (
                ("ours", labels(settings)),
                ("others", {INSTALLATION: "f" * 32}),
                ("named", {}),
            )
            for kind in ("Pod", "Namespace")
        )
    )
    make_room(world(settings, api), older)
    assert len([name for _, _, name in api.objects if name == "ours"]) == left
    assert len([name for _, _, name in api.objects if name != "ours"]) == 4


@pytest.mark.parametrize("made_by", [{}, {INSTALLATION: "f" * 32}])
def test_nobody_is_sent_into_a_namespace_of_somebody_else(
    settings: Settings, made_by: dict[str, str]
) -> None:
    api = Kubelet(
        running.pod(BACKEND), {"kind": "Namespace", "metadata": {"name": "todo", "labels": made_by}}
    )
    with (
        pytest.raises(Unmeasurable, match="namespace todo was"),
        visiting(world(settings, api), SENT, purpose="survey"),
    ):
        pass
    assert api.written == []
