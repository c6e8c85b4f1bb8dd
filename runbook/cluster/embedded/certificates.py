"""The node's certificates, signed by an authority of its own (library: cryptography).

Leaf certificates are renewed when less than a month is left or when the names that they hold have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from runbook.clients.signing import PEM, Signer, common_name, left, new_key, private_pem, signed_by
from runbook.cluster.embedded.files import write_private

LIFETIME = timedelta(days=5 * 365)
"""Only a command renews them: a node that nobody touches for a year has to go on."""
AUTHORITY_LIFETIME = timedelta(days=3650)
RENEWED_BEFORE_END = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a certificate is for. With `names` (DNS names and IP addresses) it also serves, else it is a client's."""

    common_name: str
    organization: str = ""
    names: Sequence[str] = ()

    def _subject(self) -> x509.Name:
        return common_name(self.common_name, self.organization)

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
        if not (_still_good(self.certificate, None) and _belong_together(self.certificate, self.key)):
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
        if not (_still_good(certificate, identity, self._load()) and _belong_together(certificate, key)):
            private = new_key()
            write_private(key, private_pem(private))
            write_private(certificate, self._sign(identity, private.public_key()).public_bytes(PEM))
        return certificate, key

    def _load(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes())

    def _make(self) -> None:
        made = Signer.make(self.name, AUTHORITY_LIFETIME)
        write_private(self.key, private_pem(made.key))
        write_private(self.certificate, made.certificate.public_bytes(PEM))

    def _sign(self, identity: Identity, public: ec.EllipticCurvePublicKey) -> x509.Certificate:
        key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if identity.names:
            purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
        return Signer(self._load(), key).sign(
            identity._subject(), public, LIFETIME, purposes=purposes, names=identity._alternatives()
        )


def signing_key(folder: Path) -> tuple[Path, Path]:
    """The (private, public) key pair that signs service account tokens; made when it is not there."""
    private_file, public_file = folder / "service-account.key", folder / "service-account.pub"
    private = _read_key(private_file)
    if private is None:
        private = new_key()
        write_private(private_file, private_pem(private))
    write_private(public_file, _public_pem(private))
    return private_file, public_file


def ending(folder: Path) -> str:
    """What of these certificates ends within a month, in words; empty where nothing does. `up` renews it."""
    for file in sorted(folder.rglob("*.crt")):
        try:
            rest = left(x509.load_pem_x509_certificate(file.read_bytes()))
        except (OSError, ValueError):
            return f"the certificate {file.relative_to(folder)} cannot be read"
        if rest < RENEWED_BEFORE_END:
            return f"the certificate {file.relative_to(folder)} ends in {max(rest.days, 0)} days"
    return ""


def _read_key(file: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _belong_together(certificate: Path, key: Path) -> bool:
    """Whether this is the certificate's own key: a run that was cut off in between leaves two that are not a pair."""
    private = _read_key(key)
    if private is None:
        return False
    public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    return public == private.public_key()


def _still_good(file: Path, identity: Identity | None, signer: x509.Certificate | None = None) -> bool:
    """Whether the certificate is there, is from `signer`, holds just these names and has more than a month left."""
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return False
    if left(certificate) < RENEWED_BEFORE_END:
        return False
    if signer is not None and not signed_by(certificate, signer):
        return False
    if identity is None:
        return True
    try:
        held = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        held = []
    return certificate.subject == identity._subject() and held == identity._alternatives()
