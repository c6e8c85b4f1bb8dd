"""Strangers who send too much, or too slowly, to the deployed application: they are refused, and nobody else is."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from people import DOMAIN, Crowd

from runbook.clients.kube.workloads import restarts
from runbook.world import World

MEGABYTE = 1024 * 1024
ROUTES = (
    "/",
    "/dashboard",
    "/nowhere",
    "/api/auth/sign-in/email",
    "/api/auth/sign-up/email",
    "/api/auth/update-user",
    "/api/contact",
    "/api/signout",
    "/api/proxy/somebody/tasks",
    "/api/proxy/somebody/chat",
)
CROWD = 200
SLOW_SECONDS = 60
"""By then each slow sender has been ended: headers get 15 s of the frontend, a whole request 30."""


@pytest.fixture
def visitor(world: World, people: Crowd) -> Iterator[httpx.Client]:
    host = world.settings.host
    with httpx.Client(
        base_url=f"http://{world.http.address()}",
        headers={"Host": host, "Origin": f"http://{host}", "Content-Type": "application/json"},
        timeout=60,
        trust_env=False,
    ) as client:
        yield client


def pods(world: World) -> dict[str, tuple[str, int]]:
    """Each pod of the application: its start and its restarts."""
    found = world.api.list("Pod", world.settings.namespace)
    return {pod["metadata"]["name"]: (pod["metadata"]["uid"], restarts(pod)) for pod in found}


def parts(size: int) -> Iterator[bytes]:
    for _ in range(size // (MEGABYTE // 4)):
        yield b"x" * (MEGABYTE // 4)


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_of_any_size_is_answered_413_by_the_same_pods(
    world: World, visitor: httpx.Client, path: str
) -> None:
    before = pods(world)
    for size in (1 * MEGABYTE, 10 * MEGABYTE, 100 * MEGABYTE):
        for headers in ({"Content-Length": str(size)}, {}):
            # In chunks where no length is declared.
            answer = send(visitor, path, size, headers)
            assert answer == 413, f"{size // MEGABYTE} MB to {path} ({headers}): {answer}"
    assert pods(world) == before


def send(visitor: httpx.Client, path: str, size: int, headers: dict[str, str]) -> int:
    """The status; a server may hang up on what it has refused, so a sender that is cut off asks once more."""
    try:
        return visitor.post(path, content=parts(size), headers=headers).status_code
    except httpx.TransportError:
        return visitor.post(path, content=parts(size), headers=headers).status_code


@pytest.mark.parametrize("path", ["/.//evil.test/x", "/x/..//evil.test", "/.\\/evil.test", "/%2e//evil.test"])
def test_whoever_is_signed_in_is_led_to_our_own_pages(people: Crowd, path: str) -> None:
    person = people.person()
    answer = person.page.request.get("/auth/signin", params={"callbackUrl": path}, max_redirects=0)
    assert answer.headers["location"].split("?")[0] == "/dashboard"


@contextmanager
def crowd_of(world: World, opening: bytes) -> Iterator[list[socket.socket]]:
    """Many connections that have sent `opening` and then nothing."""
    with ExitStack() as stack:
        made = []
        for _ in range(CROWD):
            connection = stack.enter_context(socket.create_connection((world.http.address(), 80), 30))
            connection.sendall(opening)
            made.append(connection)
        yield made


def asked(world: World, path: str, *lines: str) -> bytes:
    return "\r\n".join((f"POST {path} HTTP/1.1", f"Host: {world.settings.host}", *lines, "", "")).encode()


OPENINGS = {
    "headers without an end": ("/api/auth/sign-in/email", ("X-Slow: yes",), -2),
    "a body without an end": (
        "/api/auth/sign-in/email",
        ("Content-Type: application/json", "Content-Length: 100"),
        None,
    ),
    "chunks without an end": ("/api/auth/sign-up/email", ("Transfer-Encoding: chunked",), None),
}


@pytest.mark.parametrize("kind", OPENINGS)
def test_slow_senders_keep_nobody_from_signing_in_and_are_ended(
    world: World, visitor: httpx.Client, kind: str
) -> None:
    path, lines, cut = OPENINGS[kind]
    before = pods(world)
    with crowd_of(world, asked(world, path, *lines)[:cut]) as slow:
        sign_in(world, visitor)
        end = time.monotonic() + SLOW_SECONDS + 30
        for connection in slow:
            connection.settimeout(max(1.0, end - time.monotonic()))
            while connection.recv(4096):
                pass
    assert pods(world) == before


def test_readers_who_never_read_keep_nobody_from_signing_in(world: World, visitor: httpx.Client) -> None:
    person = sign_in(world, visitor)
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    body = b'{"message":"show my tasks"}'
    opening = asked(
        world,
        f"/api/proxy/{person}/chat",
        f"Cookie: {cookie}",
        f"Origin: http://{world.settings.host}",
        "Accept: text/event-stream",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    before = pods(world)
    with crowd_of(world, opening + body):
        visitor.cookies.clear()
        sign_in(world, visitor)
    assert pods(world) == before


def sign_in(world: World, visitor: httpx.Client) -> str:
    """Sign up and in as anybody does; the person's id."""
    who: dict[str, Any] = {
        "email": f"journey-{secrets.token_hex(4)}@{DOMAIN}",
        "password": secrets.token_hex(12),
    }
    assert visitor.post("/api/auth/sign-up/email", json={"name": "Journey", **who}).status_code == 200
    began = time.monotonic()
    answer = visitor.post("/api/auth/sign-in/email", json=who)
    assert answer.status_code == 200
    assert time.monotonic() - began < 10
    return str(answer.json()["user"]["id"])
