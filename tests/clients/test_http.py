"""HTTP through the ingress address, named by its host; redirects are shown, and silence cannot be measured."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbook.clients.http import Http
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from tests.fakes.certificates import certificate_files
from tests.fakes.worlds import FakeCluster


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "http://elsewhere.test/")
        self.end_headers()
        self.wfile.write((self.headers["Host"] or "").encode())


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def make(address: str) -> Http:
    cluster = FakeCluster()
    cluster.address = address
    return Http(Settings(), cluster)  # type: ignore[arg-type]


def at_port(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    original = httpx.Client

    def client(*, base_url: str, **options: Any) -> httpx.Client:
        return original(base_url=f"{base_url}:{port}", **options)

    monkeypatch.setattr(httpx, "Client", client)


def test_the_host_is_named_and_the_address_asked(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at_port(monkeypatch, port)
    assert make("127.0.0.1").get().text == "todo.local"
    assert make("127.0.0.1").get(host="other.test").text == "other.test"


def test_redirects_are_shown(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at_port(monkeypatch, port)
    answer = make("127.0.0.1").get("/moved")
    assert (answer.status_code, answer.headers["location"]) == (302, "http://elsewhere.test/")


def test_silence_cannot_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    at_port(monkeypatch, 9)
    with pytest.raises(Unmeasurable, match=r"nothing answers HTTP on 127\.0\.0\.1 port 80 for todo\.local/"):
        make("127.0.0.1").get()


class TestProduction:
    """HTTPS, judged by the host and the authority of the settings, at an address that no certificate names."""

    @pytest.fixture
    def served(self, tmp_path: Path) -> Iterator[tuple[Settings, int]]:
        settings = certificate_files(tmp_path, "todo.example.org")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            yield settings, server.server_address[1]
            server.shutdown()

    def http(self, settings: Settings, port: int) -> Http:
        cluster = FakeCluster()
        cluster.address = "127.0.0.1"
        cluster.__dict__["ingress_port"] = lambda wanted=80: port if wanted == 443 else 9
        return Http(settings, cluster)  # type: ignore[arg-type]

    def test_the_certificate_of_the_host_is_taken(self, served: tuple[Settings, int]) -> None:
        settings, port = served
        assert self.http(settings, port).get().text == "todo.example.org"
        with self.http(settings, port).client() as client:
            assert client.get("/").text == "todo.example.org"

    def test_one_of_another_host_is_not(self, served: tuple[Settings, int]) -> None:
        settings, port = served
        with pytest.raises(Unmeasurable, match=r"HTTPS on .* port 443 for other\.example\.org.*CERTIFICATE"):
            self.http(settings.model_copy(update={"host": "other.example.org"}), port).get()

    def test_one_of_another_authority_is_not(self, served: tuple[Settings, int]) -> None:
        settings, port = served
        with pytest.raises(Unmeasurable, match="CERTIFICATE"):
            self.http(settings.model_copy(update={"tls_authority": ""}), port).get()
