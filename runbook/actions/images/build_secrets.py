"""What a build needs of this machine and must never be part of an image: authorities and package index settings."""

from __future__ import annotations

import json
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runbook.clients.docker import Secret
from runbook.clients.process.environment import given

AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


@contextmanager
def build_secrets() -> Iterator[list[Secret]]:
    """The secrets to mount: those whose source this machine has. The Dockerfiles do without the others."""
    with tempfile.TemporaryDirectory(prefix="todo-build-") as scratch:
        found = [
            ("ca-bundle", authorities()),
            ("npmrc", _existing(given("NPM_CONFIG_USERCONFIG"), Path.home() / ".npmrc")),
            ("uv-config", _uv_settings(Path(scratch))),
        ]
        yield [Secret(name, path) for name, path in found if path is not None]


def authorities() -> Path | None:
    """The file of certificate authorities that this machine trusts."""
    named = (given(name) for name in AUTHORITIES)
    return _existing(*named, SYSTEM_BUNDLE, ssl.get_default_verify_paths().cafile)


def _uv_settings(scratch: Path) -> Path | None:
    """uv's own settings, else the package index that the environment names."""
    own = Path(given("XDG_CONFIG_HOME") or Path.home() / ".config") / "uv" / "uv.toml"
    if there := _existing(given("UV_CONFIG_FILE"), own, Path("/etc/uv/uv.toml")):
        return there
    index = next((value for name in INDEXES if (value := given(name))), "")
    if not index:
        return None
    file = scratch / "uv.toml"
    file.touch(mode=0o600)  # an index address may hold a password
    file.write_text(f"[[index]]\nurl = {json.dumps(index)}\ndefault = true\n")
    return file


def _existing(*places: str | Path | None) -> Path | None:
    return next((Path(place) for place in places if place and Path(place).is_file()), None)
