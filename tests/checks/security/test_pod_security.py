"""T072-T074: what containers may do, by their manifests, their processes and the API server's standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runbook.checks.security import pod_security
from runbook.clients.kube.reviews import Admission
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Check, Status
from tests.fakes import secured
from tests.fakes.secured import SecuredApi

ALL: tuple[Check, ...] = (
    pod_security.confined,
    pod_security.runs_as_user,
    pod_security.gains_nothing,
)
CONFINED, USER, PRIVILEGES = ALL
Break = Callable[[SecuredApi], Any]


def security(**fields: Any) -> Break:
    return lambda api: secured.own(api)["securityContext"].update(fields)


def pod(**fields: Any) -> Break:
    return lambda api: secured.backend(api)["spec"].update(fields)


def live(**facts: str) -> Break:
    return lambda api: api.facts.update(backend=facts)


def label(name: str, value: str) -> Break:
    def change(api: SecuredApi) -> None:
        api.objects["Namespace", "", "todo"]["metadata"]["labels"][f"pod-security.kubernetes.io/{name}"] = (
            value
        )

    return change


def review(**answers: Any) -> Break:
    return lambda api: [setattr(api.reviews, name, answer) for name, answer in answers.items()]


@pytest.mark.parametrize("check", ALL)
def test_a_secured_application_passes_and_says_how_many_containers(check: Check) -> None:
    world, _ = secured.secured()
    outcome = check(world)
    assert outcome.status is Status.PASSED
    assert "3 containers of 3 pods" in outcome.observed


@pytest.mark.parametrize(
    ("check", "fault", "words"),
    [
        (CONFINED, security(runAsNonRoot=None), "runAsNonRoot is not true"),
        (CONFINED, security(readOnlyRootFilesystem=False), "readOnlyRootFilesystem is not true"),
        (CONFINED, security(seccompProfile={"type": "Unconfined"}), "seccomp is not RuntimeDefault"),
        (CONFINED, security(procMount="Unmasked"), "procMount is not Default"),
        (CONFINED, pod(hostPID=True), "hostPID is set"),
        (CONFINED, pod(volumes=[{"name": "node", "hostPath": {"path": "/"}}]), "volume node is a hostPath"),
        (
            CONFINED,
            lambda api: secured.own(api).update(ports=[{"hostPort": 80}]),
            "takes port 80 of the node",
        ),
        (CONFINED, live(Seccomp="0"), "its process has Seccomp 0"),
        (
            CONFINED,
            lambda api: api.writes.update(backend={"/": "EACCES"}),
            "a write to / was answered EACCES",
        ),
        (
            CONFINED,
            lambda api: api.writes.update(backend={"/": "written"}),
            "a write to / was answered written",
        ),
        (
            CONFINED,
            lambda api: api.writes.update(backend={"/tmp": "ENOSPC"}),
            "its emptyDir /tmp failed: ENOSPC",
        ),
        (
            CONFINED,
            review(warnings={"kube-system": ("x",), "todo": ("backend-1: seccompProfile",)}),
            "against the restricted standard: backend-1: seccompProfile",
        ),
        (USER, security(runAsUser=1001), "runAsUser is 1001"),
        (USER, security(runAsGroup=None), "runAsGroup is None"),
        (USER, live(Uid="1000 0 1000 1000"), "the user ids of its process are 1000/0/1000/1000"),
        (USER, live(Gid="0 0 0 0"), "the group ids of its process are 0/0/0/0"),
        (PRIVILEGES, security(allowPrivilegeEscalation=None), "allowPrivilegeEscalation is not false"),
        (PRIVILEGES, security(privileged=True), "it is privileged"),
        (PRIVILEGES, security(capabilities={"drop": ["NET_RAW"]}), "not all capabilities are dropped"),
        (PRIVILEGES, security(capabilities={"drop": ["ALL"], "add": ["X"]}), "capabilities are added"),
        (PRIVILEGES, live(CapBnd="400"), "its process has CapBnd 0x400"),
        (PRIVILEGES, live(NoNewPrivs="0"), "its process can gain privileges"),
        (PRIVILEGES, label("enforce", "baseline"), "enforce is baseline, not restricted"),
        (PRIVILEGES, label("audit-version", "latest"), "the version of audit is latest"),
        (PRIVILEGES, label("warn-version", ""), "the version of warn is not pinned"),
        (PRIVILEGES, review(bad=Admission(True, "")), "takes a privileged pod"),
        (PRIVILEGES, review(bad=Admission(False, "exceeded quota")), "not by the standard: exceeded quota"),
    ],
)
def test_each_fault_is_told_and_by_no_other_check(check: Check, fault: Break, words: str) -> None:
    world, api = secured.secured()
    fault(api)
    outcome = check(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed
    assert [other for other in ALL if other is not check and not other(world).green] == []


@pytest.mark.parametrize("check", ALL)
def test_what_cannot_be_looked_at_is_never_green(check: Check) -> None:
    world, api = secured.secured()
    api.mute.add("mcp-server")
    outcome = check(world)
    assert outcome.status is Status.UNPROVEN
    assert "mcp-server-1/mcp-server was not seen" in outcome.observed
    assert "not found in $PATH" in outcome.observed


@pytest.mark.parametrize("check", ALL)
def test_no_container_at_all_is_unmeasurable(check: Check) -> None:
    world, api = secured.secured()
    for component in ("frontend", "backend", "mcp-server"):
        del api.objects["Pod", "todo", f"{component}-1"]
    with pytest.raises(Unmeasurable, match="has no container"):
        check(world)


def test_the_api_servers_judgement_has_a_control() -> None:
    world, api = secured.secured()
    api.reviews.warnings["kube-system"] = ()
    with pytest.raises(Unmeasurable, match="it does not look"):
        pod_security.confined(world)


def test_a_refused_good_pod_proves_nothing() -> None:
    world, api = secured.secured()
    api.reviews.good = Admission(False, "webhook down")
    with pytest.raises(Unmeasurable, match="refused as well: webhook down"):
        pod_security.gains_nothing(world)


@pytest.mark.parametrize("place", ["initContainers", "ephemeralContainers"])
def test_init_and_ephemeral_containers_count(place: str) -> None:
    world, api = secured.secured()
    extra = secured.add(api, place, "extra")
    passed = pod_security.gains_nothing(world)
    assert passed.green and "4 containers of 3 pods (1 " in passed.observed
    extra["securityContext"]["privileged"] = True
    assert "it is privileged" in pod_security.gains_nothing(world).observed


def test_a_finished_init_container_has_no_process_and_still_a_manifest() -> None:
    world, api = secured.secured()
    extra = secured.add(api, "initContainers", "early", terminated={"exitCode": 0})
    api.mute.add("early")
    outcome = pod_security.confined(world)
    assert outcome.green
    assert outcome.evidence["ended"] == ["backend-1/early (init)"]
    extra["securityContext"]["readOnlyRootFilesystem"] = False
    assert not pod_security.confined(world).green


def test_a_sidecar_may_have_ids_of_its_own_but_not_roots() -> None:
    world, api = secured.secured()
    extra = secured.add(api, "initContainers", "daprd")
    extra["restartPolicy"] = "Always"
    extra["securityContext"] |= {"runAsUser": 65532, "runAsGroup": 65532}
    api.facts["daprd"] = {"Uid": "65532 65532 65532 65532", "Gid": "65532 65532 65532 65532"}
    outcome = pod_security.runs_as_user(world)
    assert outcome.green
    assert "by ids of their own: backend-1/daprd (sidecar) as 65532:65532" in outcome.observed
    api.facts["daprd"] = {"Uid": "0 0 0 0"}
    world.clients.memory.forget()
    assert "ids of its process are 0/0/0/0" in pod_security.runs_as_user(world).observed


def test_a_pod_on_its_way_out_is_left_aside() -> None:
    world, api = secured.secured()
    secured.own(api)["securityContext"]["runAsUser"] = 0
    secured.backend(api)["metadata"]["deletionTimestamp"] = "2026-01-01T10:00:00Z"
    assert "2 containers of 2 pods" in pod_security.runs_as_user(world).observed


def test_a_pod_that_tries_the_network_meanwhile_is_left_aside() -> None:
    world, api = secured.secured()
    secured.own(api)["securityContext"]["runAsUser"] = 0
    secured.backend(api)["metadata"]["labels"]["todo.runbook/probe"] = "survey"
    assert "2 containers of 2 pods" in pod_security.runs_as_user(world).observed


def test_a_container_that_does_not_run_is_not_green() -> None:
    world, api = secured.secured()
    status = secured.backend(api)["status"]["containerStatuses"][0]
    status["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    outcome = pod_security.runs_as_user(world)
    assert outcome.status is Status.UNPROVEN
    assert "it does not run (CrashLoopBackOff)" in outcome.observed


def test_each_container_is_looked_at_once_in_a_run() -> None:
    world, api = secured.secured()
    for check in ALL:
        check(world)
    assert api.looks == 3
