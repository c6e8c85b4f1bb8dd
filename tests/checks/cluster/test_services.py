"""Services lead to exactly their ready pods, on a declared port."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runbook.app.application import BACKEND
from runbook.checks.cluster import services
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from tests.fakes import running
from tests.fakes.worlds import FakeApi, world_of

Break = Callable[[FakeApi], None]


def there(api: FakeApi, kind: str, name: str) -> running.Object:
    found = api.get(kind, name, "todo")
    assert found
    return found


def no_service(api: FakeApi) -> None:
    del api.objects["Service", "todo", "backend-svc"]


def other_port(api: FakeApi) -> None:
    there(api, "Service", "backend-svc")["spec"]["ports"][0]["port"] = 8001


def other_target(api: FakeApi) -> None:
    there(api, "EndpointSlice", "backend-svc-x")["ports"][0]["port"] = 8009


def other_selector(api: FakeApi) -> None:
    there(api, "Service", "backend-svc")["spec"]["selector"] = {"app.kubernetes.io/name": "back-end"}


def not_ready(api: FakeApi) -> None:
    there(api, "EndpointSlice", "backend-svc-x")["endpoints"][0]["conditions"]["ready"] = False


def stray_address(api: FakeApi) -> None:
    there(api, "EndpointSlice", "backend-svc-x")["endpoints"][0]["addresses"] = ["10.9.9.9"]


def test_each_service_leads_to_its_pod() -> None:
    outcome = services.have_endpoints(world_of(Settings(), api=FakeApi(*running.everything())))
    assert outcome.status is Status.PASSED
    assert f"{BACKEND.service}:8000 -> 1" in outcome.observed
    assert outcome.evidence["endpoints"]["backend-svc"] == ["10.1.0.6"]


def no_pod(api: FakeApi) -> None:
    del api.objects["Pod", "todo", "backend-1"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (no_pod, "Service backend-svc has no endpoint: there is no pod of backend"),
        (no_service, "there is no Service backend-svc"),
        (other_port, "Service backend-svc serves port [8001], not 8000"),
        (other_target, "leads to port 8009; its pods declare [8000]"),
        (other_selector, "the selector of Service backend-svc matches no pod"),
        (not_ready, "Service backend-svc has no ready endpoint; 1 pods match, 1 are ready"),
        (stray_address, "leads to ['10.9.9.9'], its ready pods are ['10.1.0.6']"),
    ],
)
def test_each_fault_is_told_with_its_cause(fault: Break, words: str) -> None:
    api = FakeApi(*running.everything())
    fault(api)
    outcome = services.have_endpoints(world_of(Settings(), api=api))
    assert outcome.status is Status.FAILED
    assert words in outcome.observed
    assert outcome.hint.startswith("kubectl -n todo get")


def test_an_api_that_is_away_cannot_be_measured() -> None:
    api = FakeApi()
    api.away = True
    with pytest.raises(Unmeasurable):
        services.have_endpoints(world_of(Settings(), api=api))


def test_a_pod_that_is_leaving_needs_no_endpoint() -> None:
    api = FakeApi(*running.everything())
    leaving = running.pod(BACKEND, "10.1.0.99")
    leaving["metadata"] |= {"name": "backend-0", "uid": "old", "deletionTimestamp": "2026-01-01T10:01:00Z"}
    api.put(leaving)
    assert services.have_endpoints(world_of(Settings(), api=api)).green
