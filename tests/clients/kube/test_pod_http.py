"""A question to a pod's own port: answered, whatever the status, or no verdict."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from runbook.clients.kube import pod_http
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.world import World
from tests.fakes.worlds import FakeApi, FakeCluster, world_of

POD = {"metadata": {"name": "backend-1", "namespace": "todo"}}


class Forwarding(FakeApi):
    @contextmanager
    def port_forward(self, pod: str, port: int, namespace: str) -> Iterator[int]:
        assert (pod, port, namespace) == ("backend-1", 3500, "todo")
        yield 7000


@pytest.fixture
def world(settings: Settings) -> World:
    return world_of(settings, api=Forwarding(), cluster=FakeCluster())


def serve(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception) -> list[httpx.Request]:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(
        httpx, "Client", functools.partial(httpx.Client, transport=httpx.MockTransport(handle))
    )
    return asked


@pytest.mark.parametrize("status", [200, 403, 500])
def test_every_status_is_an_answer(world: World, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    asked = serve(monkeypatch, httpx.Response(status, text="told"))
    answer = pod_http.ask(world.api, POD, 3500, "/v1.0/metadata", headers={"X-Request-ID": "r1"})
    assert (answer.status_code, answer.text) == (status, "told")
    assert str(asked[0].url) == "http://127.0.0.1:7000/v1.0/metadata"
    assert asked[0].headers["x-request-id"] == "r1"


def test_no_answer_is_no_verdict(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, httpx.ReadTimeout(""))
    with pytest.raises(Unmeasurable) as caught:
        pod_http.ask(world.api, POD, 3500, "/metrics", timeout=2)
    assert caught.value.observed == "port 3500 of pod backend-1 does not answer: ReadTimeout"
    assert caught.value.wanted == "an answer to /metrics within 2 s"
