"""Dialogues with a real TLS server: one that wants certificates of its authority, and some that want less."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from runbook.clients.signing import PEM, Signer, common_name, new_key, private_pem
from runbook.engine.errors import Unmeasurable
from runbook.probes.dapr import mtls

URI = "spiffe://public/ns/todo/todo-backend"
SETTINGS_FRAME = b"\0\0\0\4\0\0\0\0\0"
DAY = timedelta(days=1)

Talk = Callable[[socket.socket], object]


@pytest.fixture(scope="module")
def authority() -> Signer:
    return Signer.make("cluster.local", DAY)


def credentials(signer: Signer) -> mtls.Credentials:
    key = new_key()
    leaf = signer.sign(
        common_name("sidecar"),
        key.public_key(),
        DAY,
        purposes=[ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
        names=[x509.UniformResourceIdentifier(URI)],
    )
    return mtls.Credentials(leaf.public_bytes(PEM), private_pem(key))


def settings_frame(connection: socket.socket) -> None:
    connection.sendall(SETTINGS_FRAME)


@contextmanager
def serving(talk: Talk) -> Iterator[int]:
    """A server for any number of clients, one after another."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with suppress(OSError), connection:
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


@pytest.fixture
def sidecar(authority: Signer, tmp_path: Path) -> Callable[[ssl.VerifyMode], Talk]:
    """A server with a certificate of the authority, which asks its clients for one of the same authority."""
    own = credentials(authority)
    (tmp_path / "server.pem").write_bytes(own.certificate + own.key)
    (tmp_path / "ca.pem").write_bytes(authority.certificate.public_bytes(PEM))

    def make(mode: ssl.VerifyMode) -> Talk:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.pem")
        context.load_verify_locations(tmp_path / "ca.pem")
        context.verify_mode = mode

        def talk(connection: socket.socket) -> None:
            secured = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            with secured:
                try:
                    secured.do_handshake()
                    settings_frame(secured)
                except (
                    ssl.SSLError
                ):  # the alert is out; what the client said is read, or it would never arrive
                    socket.socket.shutdown(secured, socket.SHUT_WR)
                while socket.socket.recv(secured, 1000):
                    pass

        return talk

    return make


def anchors(signer: Signer) -> str:
    return signer.certificate.public_bytes(PEM).decode()


def test_a_server_that_wants_certificates_refuses_all_but_those_of_its_authority(
    sidecar: Callable[[ssl.VerifyMode], Talk], authority: Signer
) -> None:
    with serving(sidecar(ssl.CERT_REQUIRED)) as port:
        assert not mtls.plaintext(port).taken
        assert mtls.encrypted(port) == mtls.Reply(taken=False, said="tlsv13 alert certificate required")
        refused = mtls.encrypted(port, mtls.forged("cluster.local", URI))
        assert not refused.taken
        assert "alert" in refused.said
        assert mtls.encrypted(port, credentials(authority)) == mtls.Reply(taken=True, said="HTTP/2 settings")


def test_a_server_that_asks_for_no_certificate_takes_everyone(
    sidecar: Callable[[ssl.VerifyMode], Talk],
) -> None:
    with serving(sidecar(ssl.CERT_NONE)) as port:
        assert mtls.encrypted(port).taken
        assert mtls.encrypted(port, mtls.forged("cluster.local", URI)).taken


def test_a_server_without_tls_takes_a_plain_client_and_shows_no_certificate(authority: Signer) -> None:
    with serving(settings_frame) as port:
        assert mtls.plaintext(port).taken
        assert "does not speak TLS" in str(mtls.presented(port, anchors(authority)))
        assert mtls.encrypted(port) == mtls.Reply(taken=False, said="wrong version number")


def test_what_is_no_http2_is_not_taken_for_it() -> None:
    with serving(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert mtls.plaintext(port) == mtls.Reply(taken=False, said="9 bytes that are not HTTP/2")


def test_the_certificate_is_shown_if_the_anchors_vouch_for_it(
    sidecar: Callable[[ssl.VerifyMode], Talk], authority: Signer
) -> None:
    with serving(sidecar(ssl.CERT_REQUIRED)) as port:
        shown = mtls.presented(port, anchors(authority))
        assert isinstance(shown, x509.Certificate)
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.UniformResourceIdentifier) == [URI]
        stranger = Signer.make("cluster.local", DAY)
        assert isinstance(mtls.presented(port, anchors(stranger)), str)


def test_a_silent_server_is_not_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mtls, "SECONDS", 0.2)
    gate = threading.Event()
    with serving(lambda _: bool(gate.wait(5))) as port:
        with pytest.raises(Unmeasurable, match="neither answered nor closed"):
            mtls.plaintext(port)
        with pytest.raises(Unmeasurable):
            mtls.encrypted(port)
        gate.set()


def test_nobody_there_is_no_refusal_either() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Unmeasurable):
        mtls.encrypted(port)
