"""A certificate for the stand-in database, and the authority that signed it.

The key of the authority is thrown away after the one signature: nobody can ever sign with it again, and renewal
makes a new authority.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from runbook.clients.signing import PEM, Signer, common_name, left, new_key, private_pem, signed_by

LIFETIME = timedelta(days=730)
RENEW_BEFORE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Certified:
    """PEM texts; `key` is a secret."""

    authority: str
    certificate: str
    key: str


def certify(names: list[str]) -> Certified:
    """A server certificate for these host names, signed by an authority made for it alone."""
    authority, key = Signer.make("todo database authority", LIFETIME), new_key()
    certificate = authority.sign(
        common_name(names[0]),
        key.public_key(),
        LIFETIME,
        purposes=[ExtendedKeyUsageOID.SERVER_AUTH],
        names=[x509.DNSName(name) for name in names],
    )
    return Certified(
        authority.certificate.public_bytes(PEM).decode(),
        certificate.public_bytes(PEM).decode(),
        private_pem(key).decode(),
    )


def good(authority: str, certificate: str, names: list[str]) -> bool:
    """Whether a certificate is signed by that authority, names all these hosts and does not end soon."""
    try:
        issuer = x509.load_pem_x509_certificate(authority.encode())
        leaf = x509.load_pem_x509_certificate(certificate.encode())
        named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    lasting = min(left(leaf), left(issuer)) > RENEW_BEFORE
    return signed_by(leaf, issuer) and lasting and set(names) <= set(named.get_values_for_type(x509.DNSName))
