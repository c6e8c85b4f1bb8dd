"""The certificate of the host: taken when browsers would take it, else refused with the file's name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runbook.clients import web_certificate
from runbook.clients.signing import new_key, private_pem
from runbook.engine.errors import UsageError
from runbook.engine.settings import Settings
from tests.fakes.certificates import certificate_files


@pytest.mark.parametrize("name", ["todo.example.org", "*.example.org", "TODO.example.org"])
def test_one_of_the_host_is_taken(tmp_path: Path, name: str) -> None:
    found = web_certificate.given(certificate_files(tmp_path, "other.example.org", name))
    assert found is not None
    assert found.chain.count("BEGIN CERTIFICATE") == 2 and "PRIVATE KEY" in found.key
    assert "PRIVATE KEY" not in repr(found)


def test_none_is_given() -> None:
    assert web_certificate.given(Settings(env="prod")) is None


@pytest.mark.parametrize(
    "names", [(), ("example.org",), ("a.todo.example.org",), ("*.org",), ("*.todo.example.org",)]
)
def test_one_of_another_host_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as refused:
        web_certificate.given(certificate_files(tmp_path, *names))
    assert "todo.example.org" in refused.value.wanted and str(tmp_path) in refused.value.observed


def test_one_that_ended_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ended on"):
        web_certificate.given(certificate_files(tmp_path, "todo.example.org", lifetime=timedelta(seconds=-1)))


def test_the_key_of_another_one_is_refused(tmp_path: Path) -> None:
    settings = certificate_files(tmp_path, "todo.example.org")
    (tmp_path / "tls.key").write_bytes(private_pem(new_key()))
    with pytest.raises(UsageError, match="is not that of the certificate"):
        web_certificate.given(settings)


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("tls.crt", b"no certificate", "holds no certificate"),
        ("tls.crt", b"\xff\xfe\x00", "cannot be read: it is not text"),
        ("tls.key", b"no key", "holds no private key"),
        ("tls.key", None, "cannot be read: No such file"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    tmp_path: Path, file: str, content: bytes | None, told: str
) -> None:
    settings = certificate_files(tmp_path, "todo.example.org")
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(UsageError, match=told) as refused:
        web_certificate.given(settings)
    assert file in refused.value.observed


@pytest.mark.parametrize("missing", ["tls_certificate", "tls_key"])
def test_one_file_without_the_other_is_refused(tmp_path: Path, missing: str) -> None:
    settings = certificate_files(tmp_path, "todo.example.org").model_copy(update={missing: ""})
    with pytest.raises(UsageError, match=f"{missing} is not"):
        web_certificate.given(settings)
