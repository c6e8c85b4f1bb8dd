"""A dialogue with the port on which sidecars talk to each other, as anyone could begin it (library: ssl, cryptography).

The client's side of TLS 1.3 believes in a finished handshake before the server has looked at the client's certificate:
a refusal comes as an alert on the first read. So every dialogue goes on until the server has said something, or left.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""How a client of HTTP/2 begins: the words, and a frame with no settings. RFC 9113, section 3.4."""

SETTINGS = 4
"""Type of the frame with which a server that takes the client answers."""

SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows. Both PEM; the key is of an identity that exists nowhere else."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one dialogue."""

    taken: bool
    """The server spoke HTTP/2 with us."""
    said: str
    """The alert's name, `closed`, or what it answered."""


def plaintext(port: int) -> Reply:
    """HTTP/2 without TLS. Raises `Unmeasurable` where nobody listens, or the server neither answers nor leaves."""
    with closing(_connected(port)) as connection:
        return _dialogue(connection)


def encrypted(port: int, shown: Credentials | None = None) -> Reply:
    """HTTP/2 over TLS, by a client with these credentials or with none; the server's own certificate is not judged.

    Raises `Unmeasurable` where nobody listens, or the server neither answers nor leaves.
    """
    context = _context(shown)
    context.verify_mode = ssl.CERT_NONE
    with closing(_connected(port)) as plain:
        try:
            connection = context.wrap_socket(plain)
        except OSError as problem:
            return _refusal(problem)
        with closing(connection):
            return _dialogue(connection)


def _dialogue(connection: socket.socket) -> Reply:
    try:
        connection.sendall(PREFACE)
        return _reply(_first_frame(connection))
    except OSError as problem:
        return _refusal(problem)


def _refusal(problem: OSError) -> Reply:
    """How the other side ended it: it left, sent an alert, or does not speak TLS. Raises `Unmeasurable` for silence."""
    if isinstance(problem, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Reply(taken=False, said="closed")
    if isinstance(problem, ssl.SSLError) and problem.reason:
        return Reply(taken=False, said=problem.reason.lower().replace("_", " "))
    raise _silent(problem) from None


def presented(port: int, anchors: str) -> Certificate | str:
    """The certificate that the server shows, if these trust anchors (PEM) vouch for it; else what is wrong with it.

    Raises `Unmeasurable` where nobody listens.
    """
    from cryptography import x509

    context = _context(None)
    context.load_verify_locations(cadata=anchors)
    context.verify_mode = ssl.CERT_REQUIRED
    with closing(_connected(port)) as plain:
        try:
            with closing(context.wrap_socket(plain)) as connection:
                shown = connection.getpeercert(binary_form=True)
        except ssl.SSLCertVerificationError as problem:
            return problem.verify_message
        except (ssl.SSLError, ConnectionError) as problem:
            return f"it does not speak TLS ({getattr(problem, 'reason', None) or 'closed'})"
        except OSError as problem:
            raise _silent(problem) from None
    assert shown is not None  # with CERT_REQUIRED there is one
    return x509.load_der_x509_certificate(shown)


def forged(authority: str, uri: str) -> Credentials:
    """Credentials that hold this identity, of an authority of ours which has the name of the real one."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    from runbook.clients.signing import PEM, Signer, common_name, new_key, private_pem

    signer, key, lifetime = Signer.make(authority, timedelta(hours=1)), new_key(), timedelta(hours=1)
    leaf = signer.sign(
        common_name(authority),
        key.public_key(),
        lifetime,
        purposes=[ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH],
        names=[x509.UniformResourceIdentifier(uri)],
    )
    chain = leaf.public_bytes(PEM) + signer.certificate.public_bytes(PEM)
    return Credentials(chain, private_pem(key))


def _context(shown: Credentials | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # identities of sidecars are URIs; the caller compares them
    context.set_alpn_protocols(["h2"])
    if shown is not None:
        with tempfile.TemporaryDirectory(prefix="todo-wire-") as folder:
            certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
            certificate.write_bytes(shown.certificate)
            key.touch(mode=0o600)
            key.write_bytes(shown.key)
            context.load_cert_chain(certificate, key)
    return context


def _connected(port: int) -> socket.socket:
    """Raises `Unmeasurable` where nobody listens: nothing was refused by anyone then."""
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    except OSError as problem:
        raise _silent(problem) from None


def _first_frame(connection: socket.socket) -> bytes:
    """The nine bytes that begin a frame; fewer where the server left before."""
    held = b""
    while len(held) < 9 and (more := connection.recv(9 - len(held))):
        held += more
    return held


def _reply(frame: bytes) -> Reply:
    if len(frame) == 9 and frame[3] == SETTINGS:
        return Reply(taken=True, said="HTTP/2 settings")
    return Reply(taken=False, said=f"{len(frame)} bytes that are not HTTP/2" if frame else "closed")


def _silent(problem: Exception) -> Unmeasurable:
    return Unmeasurable(
        f"the sidecar neither answered nor closed the connection: {problem}",
        wanted=f"an answer or a refusal within {SECONDS:g} s",
        hint="inv verify.step T088",
    )
