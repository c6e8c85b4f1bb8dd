"""X.509 certificates: an authority in memory, and leaves that it signs (library: cryptography).

Where keys are kept, how long certificates live and when they are renewed is the callers' business: the embedded node
keeps its authority, the stand-in database throws it away after one signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
CLOCK_SKEW = timedelta(minutes=5)
"""Certificates are valid from this long ago: clocks differ."""


@dataclass(frozen=True, slots=True)
class Signer:
    """An authority: its own certificate, and the key that signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, name: str, lifetime: timedelta) -> Signer:
        """A new authority that signs leaves only, no further authorities."""
        key = new_key()
        subject = common_name(name)
        begin = datetime.now(UTC) - CLOCK_SKEW
        certificate = (
            _builder(subject, subject, key.public_key(), begin, begin + lifetime)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    def sign(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        lifetime: timedelta,
        *,
        purposes: Sequence[x509.ObjectIdentifier],
        names: Sequence[x509.GeneralName] = (),
    ) -> x509.Certificate:
        """A leaf, which never outlives its authority."""
        begin = datetime.now(UTC) - CLOCK_SKEW
        end = min(begin + lifetime, self.certificate.not_valid_after_utc)
        builder = (
            _builder(subject, self.certificate.subject, public, begin, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def common_name(name: str, organization: str = "") -> x509.Name:
    """A subject. The standard allows 64 characters of common name; the rest is cut."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def left(certificate: x509.Certificate) -> timedelta:
    """How long the certificate is still valid; negative once it has ended."""
    return certificate.not_valid_after_utc - datetime.now(UTC)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key, unencrypted: for a Secret, or a file of mode 0600."""
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    begin: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number(), begin, end)


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
