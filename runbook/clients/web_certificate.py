"""The certificate that people's browsers are shown: read from files, and refused where no browser would take it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from runbook.clients.signing import left
from runbook.engine.errors import UsageError
from runbook.engine.redaction import conceal
from runbook.engine.settings import Settings

SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
HINT = "openssl x509 -noout -text -in {}"


@dataclass(frozen=True, slots=True)
class WebCertificate:
    """PEM texts, as a Secret of type kubernetes.io/tls takes them."""

    chain: str
    key: str = field(repr=False)


def given(settings: Settings) -> WebCertificate | None:
    """What the settings name, judged; None where they name none: the Secret is then somebody else's to fill.

    Raises `UsageError` for files that cannot be read, that do not belong together, and for a certificate of another
    host or of another time.
    """
    if not settings.tls_certificate and not settings.tls_key:
        return None
    for key in ("tls_certificate", "tls_key"):
        if not getattr(settings, key):
            other = "tls_key" if key == "tls_certificate" else "tls_certificate"
            raise UsageError(
                f"{other} is set, and {key} is not", wanted="both", hint=f"TODO_{key.upper()}=..."
            )
    chain, key = _text(settings, "tls_certificate"), _text(settings, "tls_key")
    conceal(key)
    leaf = _leaf(settings, chain)
    try:
        private = serialization.load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):
        raise UsageError(
            f"{settings.tls_key} holds no private key that can be read",
            wanted="PEM, without a password",
            hint=f"openssl pkey -noout -in {settings.tls_key}",
        ) from None
    if _spki(private.public_key()) != _spki(leaf.public_key()):
        raise UsageError(
            f"the key in {settings.tls_key} is not that of the certificate in {settings.tls_certificate}",
            wanted="the two files of one certificate",
            hint=HINT.format(settings.tls_certificate),
        )
    return WebCertificate(chain, key)


def key_pin(settings: Settings) -> str:
    """The digest of the certificate's public key, as Chromium names one: base64 of its sha256."""
    leaf = _leaf(settings, _text(settings, "tls_certificate"))
    return base64.b64encode(hashlib.sha256(_spki(leaf.public_key())).digest()).decode()


def _leaf(settings: Settings, chain: str) -> x509.Certificate:
    file = settings.tls_certificate
    try:
        leaf = x509.load_pem_x509_certificates(chain.encode())[0]
        named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = named.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    except ValueError:
        raise UsageError(f"{file} holds no certificate", wanted="PEM", hint=HINT.format(file)) from None
    if not any(_covers(name, settings.host) for name in names):
        raise UsageError(
            f"the certificate in {file} is of {', '.join(names) or 'no host'}",
            wanted=f"one of {settings.host}, the first in its file",
            hint=HINT.format(file),
        )
    if left(leaf) <= timedelta():
        raise UsageError(
            f"the certificate in {file} ended on {leaf.not_valid_after_utc:%Y-%m-%d}",
            wanted="one that holds now",
            hint=HINT.format(file),
        )
    return leaf


def _covers(name: str, host: str) -> bool:
    """RFC 6125: a wildcard stands for the whole first label, and for no other."""
    name = name.lower()
    return name == host or (name.startswith("*.") and name[2:] == host.partition(".")[2])


def _text(settings: Settings, key: str) -> str:
    file = Path(getattr(settings, key)).expanduser()
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not text"
        raise UsageError(
            f"{key} is set to {file}, which cannot be read: {reason}",
            wanted="a file in PEM",
            hint=f"ls -l {file}",
        ) from None


def _spki(public: object) -> bytes:
    found: bytes = public.public_bytes(serialization.Encoding.DER, SPKI)  # type: ignore[attr-defined]
    return found
