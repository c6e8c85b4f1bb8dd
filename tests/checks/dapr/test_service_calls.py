"""What a sidecar's port shows and refuses, and which calls arrive: each part of the proof can break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from runbook.app.application import COMPONENTS
from runbook.checks.dapr import service_calls
from runbook.clients.signing import Signer, common_name, new_key
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.probes.dapr import flows, invocation, mtls
from runbook.probes.dapr.flows import Flow
from runbook.world import World
from tests.fakes import meshed
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

CLOSED = mtls.Reply(taken=False, said="closed")
TAKEN = mtls.Reply(taken=True, said="HTTP/2 settings")
SENTRY = Signer.make("sentry", timedelta(days=9))


def certificate(uri: str, lifetime: timedelta = timedelta(hours=24)) -> x509.Certificate:
    return SENTRY.sign(
        common_name("x"),
        new_key().public_key(),
        lifetime,
        purposes=[ExtendedKeyUsageOID.SERVER_AUTH],
        names=[x509.UniformResourceIdentifier(uri)],
    )


class Forwarding(FakeApi):
    @contextmanager
    def port_forward(self, pod: str, port: int, namespace: str) -> Iterator[int]:
        assert (port, namespace) == (50002, "todo")
        yield [each.name for each in COMPONENTS].index(pod.removesuffix("-1"))


@pytest.fixture
def sidecars(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the ports answer; a test breaks one entry."""
    told: dict[str, Any] = {
        each.name: certificate(f"spiffe://public/ns/todo/{each.app_id}") for each in COMPONENTS
    }
    told |= {"plain": CLOSED, "unknown": CLOSED, "forged": CLOSED}
    told["flows"] = [Flow("backend-1", 50002, "frontend-1", 40000)]
    monkeypatch.setattr(flows, "between", lambda *_: told["flows"])
    monkeypatch.setattr(mtls, "presented", lambda port, _: told[COMPONENTS[port].name])
    monkeypatch.setattr(mtls, "plaintext", lambda _: told["plain"])
    monkeypatch.setattr(mtls, "encrypted", lambda _, shown=None: told["forged" if shown else "unknown"])
    return told


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    denial = invocation.Answer(403, "code = PermissionDenied", "1")
    told: dict[str, Any] = {
        "/api/nobody/tasks": invocation.Answer(401, "", "2"),
        "/health": invocation.Answer(200, "", "3"),
        service_calls.CLOSED: denial,
        "heard": True,
    }
    monkeypatch.setattr(invocation, "call", lambda _world, _pod, _called, path: told[path])
    monkeypatch.setattr(invocation, "heard", lambda *_: told["heard"])
    return told


@pytest.fixture
def api() -> FakeApi:
    return Forwarding(*map(meshed.pod, COMPONENTS), *meshed.trust_bundle())


@pytest.fixture
def world(settings: Settings, api: FakeApi, sidecars: dict[str, Any], calls: dict[str, Any]) -> World:
    return world_of(settings, api=api, cluster=FakeCluster())


def test_all_as_it_should_be(world: World) -> None:
    outcome = service_calls.encrypted(world)
    assert outcome.status is Status.PASSED, outcome.observed
    ports = outcome.evidence["ports"]
    assert ports["backend-1"]["identity"] == "spiffe://public/ns/todo/todo-backend"
    assert set(ports["backend-1"]["refused"]) == {
        "without TLS",
        "without a certificate",
        "with a forged certificate",
    }


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("plain", "pod backend-1: it takes a client without TLS"),
        ("unknown", "pod backend-1: it takes a client without a certificate"),
        ("forged", "pod backend-1: it takes a client with a forged certificate"),
    ],
)
def test_a_client_that_should_be_refused(
    world: World, sidecars: dict[str, Any], who: str, words: str
) -> None:
    sidecars[who] = TAKEN
    outcome = service_calls.encrypted(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("unable to get local issuer certificate", "sentry does not vouch for its certificate: unable"),
        (
            certificate("spiffe://public/ns/todo/todo-frontend"),
            "its identity is spiffe://public/ns/todo/todo-f",
        ),
        (
            certificate("spiffe://public/ns/todo/todo-backend", timedelta(hours=48)),
            "longer than 24h and the skew",
        ),
    ],
)
def test_a_certificate_that_is_not_as_wanted(
    world: World, sidecars: dict[str, Any], shown: object, words: str
) -> None:
    sidecars["backend"] = shown
    assert words in service_calls.encrypted(world).observed


def test_a_forged_client_claims_to_be_one_who_may_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed: list[str] = []
    real = mtls.forged
    monkeypatch.setattr(mtls, "forged", lambda name, uri: claimed.append(uri) or real(name, uri))
    service_calls.encrypted(world)
    assert sorted(uri.rpartition("/")[2] for uri in claimed) == [
        "todo-backend",
        "todo-backend",
        "todo-frontend",
    ]


def test_a_call_that_does_not_arrive(world: World, calls: dict[str, Any]) -> None:
    calls["/health"] = invocation.Answer(500, "no route", "4")
    assert (
        "the call of backend to mcp-server/health was answered 500" in service_calls.encrypted(world).observed
    )


def test_an_answer_by_someone_else(world: World, calls: dict[str, Any]) -> None:
    calls["heard"] = False
    assert "was answered, and backend never heard of it" in service_calls.encrypted(world).observed


def test_a_call_that_should_be_denied(world: World, calls: dict[str, Any]) -> None:
    calls[service_calls.CLOSED] = invocation.Answer(200, "{}", "5")
    assert (
        "access control lets frontend call backend/openapi.json: 200"
        in service_calls.encrypted(world).observed
    )
    calls[service_calls.CLOSED] = invocation.Answer(403, "the application's own", "6")
    assert not service_calls.encrypted(world).green


def test_a_connection_past_the_sidecars(world: World, sidecars: dict[str, Any]) -> None:
    sidecars["flows"].append(Flow("backend-1", 8000, "frontend-1", 40001))
    outcome = service_calls.encrypted(world)
    assert outcome.status is Status.FAILED
    assert outcome.observed == "backend-1:8000 - frontend-1:40001 bypasses the sidecars"


def test_to_see_no_connection_proves_nothing(world: World, sidecars: dict[str, Any]) -> None:
    sidecars["flows"] = []
    with pytest.raises(Unmeasurable, match="no connection between the pods was seen"):
        service_calls.encrypted(world)


def test_a_port_that_says_nothing_proves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_: int) -> mtls.Reply:
        raise Unmeasurable("the sidecar neither answered nor closed the connection")

    monkeypatch.setattr(mtls, "plaintext", silent)
    with pytest.raises(Unmeasurable):
        service_calls.encrypted(world)
