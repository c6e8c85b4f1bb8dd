"""The node's certificates, signed by an authority of its own (library: cryptography).

Leaves live a year and are made anew when less than a month is left or when the names that they hold have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=365)
AUTHORITY_LIFETIME = timedelta(days=3650)
RENEWED_BEFORE_END = timedelta(days=30)
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a certificate is for. With `names` (DNS names and IP addresses) it also serves, else it is a client's."""

    common_name: str
    organization: str = ""
    names: Sequence[str] = ()

    def _subject(self) -> x509.Name:
        parts = [x509.NameAttribute(NameOID.COMMON_NAME, self.common_name)]
        if self.organization:
            parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organization))
        return x509.Name(parts)

    def _alternatives(self) -> list[x509.GeneralName]:
        return [_general_name(name) for name in self.names]


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Authority:
    """A certificate authority kept in `folder`; made when it is not there or about to end."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _still_good(self.certificate, None):
            self._make()

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def key(self) -> Path:
        return self.folder / "ca.key"

    def issue(self, file: str, identity: Identity) -> tuple[Path, Path]:
        """The certificate and the key of `identity`, in `file`.crt and `file`.key; kept while they are still good."""
        certificate, key = self.folder / f"{file}.crt", self.folder / f"{file}.key"
        if not (key.exists() and _still_good(certificate, identity, self._load())):
            private = ec.generate_private_key(ec.SECP256R1())
            _write_key(key, private)
            certificate.write_bytes(self._sign(identity, private.public_key()).public_bytes(_PEM))
        return certificate, key

    def _load(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes())

    def _make(self) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_SKEW)
            .not_valid_after(now + AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
            .sign(private, hashes.SHA256())
        )
        _write_key(self.key, private)
        self.certificate.write_bytes(certificate.public_bytes(_PEM))

    def _sign(self, identity: Identity, public: ec.EllipticCurvePublicKey) -> x509.Certificate:
        own, signer = self._load(), serialization.load_pem_private_key(self.key.read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        now = datetime.now(UTC)
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = (
            x509.CertificateBuilder()
            .subject_name(identity._subject())
            .issuer_name(own.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - CLOCK_SKEW)
            .not_valid_after(min(now + LIFETIME, own.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
        )
        if identity.names:
            purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
            builder = builder.add_extension(
                x509.SubjectAlternativeName(identity._alternatives()), critical=False
            )
        return builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False).sign(
            signer, hashes.SHA256()
        )


_PEM = serialization.Encoding.PEM


def signing_key(folder: Path) -> tuple[Path, Path]:
    """The (private, public) key pair that signs service account tokens; made when it is not there."""
    private_file, public_file = folder / "service-account.key", folder / "service-account.pub"
    if not (private_file.exists() and public_file.exists()):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = ec.generate_private_key(ec.SECP256R1())
        _write_key(private_file, private)
        public_file.write_bytes(
            private.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
    return private_file, public_file


def _still_good(file: Path, identity: Identity | None, signer: x509.Certificate | None = None) -> bool:
    """Whether the certificate is there, is from `signer`, holds just these names and has more than a month left."""
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return False
    if certificate.not_valid_after_utc - datetime.now(UTC) < RENEWED_BEFORE_END:
        return False
    if signer is not None:
        try:
            certificate.verify_directly_issued_by(signer)
        except (ValueError, TypeError, InvalidSignature):
            return False
    if identity is None:
        return True
    try:
        held = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        held = []
    return certificate.subject == identity._subject() and held == identity._alternatives()


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(file: Path, private: ec.EllipticCurvePrivateKey) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(
        private.private_bytes(
            _PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
