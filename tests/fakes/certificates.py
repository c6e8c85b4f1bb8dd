"""Certificates as somebody has them in files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from runbook.clients.signing import PEM, Signer, common_name, new_key, private_pem
from runbook.engine.settings import Settings


def certificate_files(
    folder: Path, *names: str, lifetime: timedelta = timedelta(days=1), host: str = "todo.example.org"
) -> Settings:
    """A throw-away authority and a certificate of it for these names, as the settings of a production take them."""
    authority, key = Signer.make("an authority of tests", timedelta(days=2)), new_key()
    leaf = authority.sign(
        common_name("leaf"),
        key.public_key(),
        lifetime,
        purposes=[ExtendedKeyUsageOID.SERVER_AUTH],
        names=[x509.DNSName(name) for name in names],
    )
    (folder / "ca.crt").write_bytes(authority.certificate.public_bytes(PEM))
    (folder / "tls.crt").write_bytes(leaf.public_bytes(PEM) + authority.certificate.public_bytes(PEM))
    (folder / "tls.key").write_bytes(private_pem(key))
    return Settings(
        env="prod",
        host=host,
        tls_certificate=str(folder / "tls.crt"),
        tls_key=str(folder / "tls.key"),
        tls_authority=str(folder / "ca.crt"),
    )
