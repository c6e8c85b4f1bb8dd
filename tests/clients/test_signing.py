"""Certificates: what an authority signs is its own, lives no longer than it, and serves what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runbook.clients.signing import Signer, common_name, left, new_key, signed_by

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer.make("test authority", 10 * DAY)


def leaf(signer: Signer, lifetime: timedelta = DAY) -> x509.Certificate:
    return signer.sign(
        common_name("server", "testers"),
        new_key().public_key(),
        lifetime,
        purposes=[ExtendedKeyUsageOID.SERVER_AUTH],
        names=[x509.DNSName("server.test")],
    )


def test_a_leaf_is_known_by_its_authority_and_by_no_other_of_the_same_name(signer: Signer) -> None:
    assert signed_by(leaf(signer), signer.certificate)
    assert not signed_by(leaf(signer), Signer.make("test authority", 10 * DAY).certificate)


def test_a_leaf_holds_subject_names_and_purpose_and_signs_nothing(signer: Signer) -> None:
    made = leaf(signer)
    assert made.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "testers"
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["server.test"]
    purposes = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not made.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_a_leaf_never_outlives_its_authority(signer: Signer) -> None:
    assert leaf(signer, 100 * DAY).not_valid_after_utc == signer.certificate.not_valid_after_utc


def test_what_is_left_of_an_ended_certificate_is_negative(signer: Signer) -> None:
    assert left(leaf(signer, timedelta(seconds=1))) < timedelta(0)
    assert DAY - timedelta(hours=1) < left(leaf(signer)) < DAY


def test_a_certificate_is_valid_already_for_a_clock_that_is_slow(signer: Signer) -> None:
    assert leaf(signer).not_valid_before_utc < datetime.now(UTC) - timedelta(minutes=4)
