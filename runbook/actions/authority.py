"""A certificate for the stand-in database, and the authority that signed it.

The key of the authority is thrown away after the one signature: nobody can ever sign with it again, and renewal
makes a new authority.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=730)
RENEW_BEFORE = timedelta(days=60)
SKEW = timedelta(hours=1)
"""Certificates are valid from this long ago: clocks differ."""


@dataclass(frozen=True, slots=True)
class Certified:
    """PEM texts; `key` is a secret."""

    authority: str
    certificate: str
    key: str


def certify(names: list[str]) -> Certified:
    """A server certificate for these host names, signed by an authority made for it alone."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    server_key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "todo database authority")])
    begin = datetime.now(UTC) - SKEW
    end = begin + LIFETIME
    authority = (
        x509.CertificateBuilder(
            issuer, issuer, authority_key.public_key(), x509.random_serial_number(), begin, end
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        x509.CertificateBuilder(
            issuer, subject, server_key.public_key(), x509.random_serial_number(), begin, end
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    key = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certified(_pem(authority), _pem(certificate), key.decode())


def good(authority: str, certificate: str, names: list[str]) -> bool:
    """Whether a certificate is signed by that authority, names all these hosts and does not end soon."""
    try:
        issuer = x509.load_pem_x509_certificate(authority.encode())
        leaf = x509.load_pem_x509_certificate(certificate.encode())
        leaf.verify_directly_issued_by(issuer)
        named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is to be replaced
        return False
    lasting = min(leaf.not_valid_after_utc, issuer.not_valid_after_utc) - datetime.now(UTC) > RENEW_BEFORE
    return lasting and set(names) <= set(named.get_values_for_type(x509.DNSName))


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
