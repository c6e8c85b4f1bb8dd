"""T075: what containers may use, by their manifests and by their control groups."""

from __future__ import annotations

import pytest

from runbook.checks.security import limits
from runbook.engine.step import Status
from tests.fakes import secured


def test_limits_that_hold_pass() -> None:
    world, _ = secured.secured()
    outcome = limits.as_declared(world)
    assert outcome.status is Status.PASSED
    assert outcome.evidence["processes"]["backend-1/backend"]["cpus"] == "0.5"


@pytest.mark.parametrize("kind", ["requests", "limits"])
@pytest.mark.parametrize("name", ["cpu", "memory", "ephemeral-storage"])
def test_what_is_not_declared_is_told(kind: str, name: str) -> None:
    world, api = secured.secured()
    del secured.own(api)["resources"][kind][name]
    outcome = limits.as_declared(world)
    assert outcome.status is Status.FAILED
    assert f"backend-1/backend has no {kind} for {name}" in outcome.observed


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"Memory": str(512 * 1024 * 1024)}, "allows 536870912 bytes, not 256Mi"),
        ({"Memory": "9223372036854771712"}, "allows Infinity bytes, not 256Mi"),
        ({"Memory": "max"}, "allows Infinity bytes, not 256Mi"),
        ({"Quota": "-1"}, "allows Infinity processors, not 500m"),
        ({"Cpu": "max 100000"}, "allows Infinity processors, not 500m"),
        ({"Cpu": "100000 100000"}, "allows 1 processors, not 500m"),
    ],
)
def test_another_limit_in_the_control_group_is_told(facts: dict[str, str], words: str) -> None:
    world, api = secured.secured()
    api.facts["backend"] = facts
    outcome = limits.as_declared(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


@pytest.mark.parametrize(
    "facts", [{"Cpu": "50000 100000"}, {"Memory": str(256 * 1024 * 1024 - 4095)}, {"Quota": "50010"}]
)
def test_the_kernels_rounding_is_no_difference(facts: dict[str, str]) -> None:
    world, api = secured.secured()
    api.facts["backend"] = facts
    assert limits.as_declared(world).green


def test_a_control_group_that_says_nothing_is_not_green() -> None:
    world, api = secured.secured()
    api.facts["backend"] = {"Memory": ""}
    assert limits.as_declared(world).status is Status.UNPROVEN


def test_an_ephemeral_container_cannot_declare_any() -> None:
    world, api = secured.secured()
    secured.add(api, "ephemeralContainers", "debug")["resources"] = {}
    assert limits.as_declared(world).green


def test_an_injected_sidecar_is_spared_ephemeral_storage_only() -> None:
    world, api = secured.secured()
    sidecar = secured.add(api, "initContainers", "daprd")
    for kind in ("requests", "limits"):
        del sidecar["resources"][kind]["ephemeral-storage"]
    assert limits.as_declared(world).green
    del sidecar["resources"]["limits"]["memory"]
    assert "backend-1/daprd (init) has no limits for memory" in limits.as_declared(world).observed
