"""A real minikube of one node: made, worked on phase by phase, stopped and started, deleted."""

from __future__ import annotations

import pytest

from tests.field.inside import Inside
from tests.field.phases import STEPS, green

pytestmark = pytest.mark.field


@pytest.mark.parametrize("phase", STEPS)
def test_every_step_is_green(minikube: Inside, phase: str) -> None:
    green(minikube, phase)


def test_a_stopped_profile_is_started(minikube: Inside) -> None:
    assert minikube.run("minikube", "--profile", "mini", "stop").returncode == 0
    assert "does not run" in minikube.inv("cluster.status").stdout
    green(minikube, "deploy", "after a stop of the profile")


def test_cleanup_leaves_nothing(minikube: Inside) -> None:
    done = minikube.inv("cleanup", "--yes")
    assert done.returncode == 0, done.stdout
    assert minikube.run("minikube", "--profile", "mini", "status").returncode == 85
    assert minikube.run("docker", "ps", "--all", "--quiet").stdout.split() == []
