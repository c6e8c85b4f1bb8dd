"""Certificates: names, purpose and lifetime; kept while good, made anew when not; keys are private."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runbook.clients.signing import new_key, private_pem
from runbook.cluster.embedded import certificates
from runbook.cluster.embedded.certificates import Authority, Identity

SERVER = Identity("kube-apiserver", names=("kubernetes.default", "10.100.255.2"))


def read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki", "test")


def test_a_server_certificate_holds_its_names_and_a_lifetime(authority: Authority) -> None:
    certificate = read(authority.issue("server", SERVER)[0])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes.default"]
    assert names.get_values_for_type(x509.IPAddress) == [IPv4Address("10.100.255.2")]
    assert certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=2 * 365), (
        "nobody touches it for a year"
    )
    assert certificate.not_valid_after_utc < read(authority.certificate).not_valid_after_utc
    certificate.verify_directly_issued_by(read(authority.certificate))


def test_a_client_certificate_names_user_and_group_and_serves_nothing(authority: Authority) -> None:
    certificate = read(authority.issue("client", Identity("system:node:todo", "system:nodes"))[0])
    assert certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:nodes"
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_keys_are_readable_by_their_owner_alone(authority: Authority) -> None:
    _, key = authority.issue("client", Identity("somebody"))
    assert {file.stat().st_mode & 0o777 for file in (key, authority.key)} == {0o600}


def test_what_is_good_is_kept(authority: Authority) -> None:
    first = authority.issue("server", SERVER)[0].read_bytes()
    again = Authority(authority.folder, "test")
    assert again.issue("server", SERVER)[0].read_bytes() == first


@pytest.mark.parametrize(
    "other",
    [Identity("kube-apiserver", names=("kubernetes.default",)), Identity("other", names=SERVER.names)],
)
def test_other_names_make_another_certificate(authority: Authority, other: Identity) -> None:
    first = authority.issue("server", SERVER)[0].read_bytes()
    assert authority.issue("server", other)[0].read_bytes() != first


def test_one_that_is_about_to_end_is_made_anew(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "LIFETIME", timedelta(days=20))
    first = authority.issue("server", SERVER)[0].read_bytes()
    monkeypatch.undo()
    assert authority.issue("server", SERVER)[0].read_bytes() != first


def test_one_of_another_authority_is_made_anew(authority: Authority) -> None:
    first = authority.issue("server", SERVER)[0].read_bytes()
    authority.certificate.unlink()
    authority = Authority(authority.folder, "test")
    second = authority.issue("server", SERVER)[0]
    assert second.read_bytes() != first
    read(second).verify_directly_issued_by(read(authority.certificate))


def test_a_damaged_file_is_made_anew(authority: Authority) -> None:
    file, _ = authority.issue("server", SERVER)
    file.write_text("not a certificate")
    authority.issue("server", SERVER)
    assert read(file).subject


def test_the_signing_key_stays(tmp_path: Path) -> None:
    private, public = certificates.signing_key(tmp_path)
    before = private.read_bytes(), public.read_bytes()
    certificates.signing_key(tmp_path)
    assert (private.read_bytes(), public.read_bytes()) == before


def _cut(file: Path) -> None:
    file.write_bytes(b"")


def _swap(file: Path) -> None:
    file.write_bytes(private_pem(new_key()))


@pytest.mark.parametrize("harm", [Path.unlink, _cut, _swap], ids=["lost", "empty", "another's"])
def test_a_key_that_is_not_its_certificates_own_is_made_again_with_it(
    authority: Authority, harm: Callable[[Path], None]
) -> None:
    """A run that was cut off between the two files, or a disk that kept only one of them."""
    certificate, key = authority.issue("server", SERVER)
    before = certificate.read_bytes()
    harm(key)
    authority.issue("server", SERVER)
    assert certificate.read_bytes() != before
    public = load_pem_private_key(key.read_bytes(), None).public_key()
    assert read(certificate).public_key() == public


@pytest.mark.parametrize("harm", [Path.unlink, _cut, _swap], ids=["lost", "empty", "another's"])
def test_so_it_is_with_the_authority_and_all_that_it_signed(
    authority: Authority, harm: Callable[[Path], None]
) -> None:
    certificate, _ = authority.issue("server", SERVER)
    harm(authority.key)
    again = Authority(authority.folder, "test")
    again.issue("server", SERVER)
    read(certificate).verify_directly_issued_by(read(again.certificate))


@pytest.mark.parametrize("harm", [Path.unlink, _cut, _swap], ids=["lost", "empty", "another's"])
@pytest.mark.parametrize("which", [0, 1], ids=["private", "public"])
def test_the_key_of_the_service_accounts_is_a_pair(
    tmp_path: Path, harm: Callable[[Path], None], which: int
) -> None:
    files = certificates.signing_key(tmp_path)
    harm(files[which])
    private, public = certificates.signing_key(tmp_path)
    key = load_pem_private_key(private.read_bytes(), None)
    assert load_pem_public_key(public.read_bytes()) == key.public_key()


def test_what_ends_within_a_month_is_named_while_the_node_runs(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.issue("server", SERVER)
    assert certificates.ending(authority.folder) == ""
    monkeypatch.setattr(certificates, "LIFETIME", timedelta(days=20))
    certificate, _ = authority.issue("client", Identity("somebody"))
    assert certificates.ending(authority.folder) == "the certificate client.crt ends in 19 days"
    certificate.write_text("no certificate")
    assert "client.crt cannot be read" in certificates.ending(authority.folder)
