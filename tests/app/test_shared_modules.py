"""Modules that two services have in common: each image is built from its own folder, so each has a copy."""

from __future__ import annotations

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["database_url.py", "logs.py"])
def test_the_copies_are_the_same_byte_for_byte(name: str) -> None:
    """Redaction of secrets, and what is read from a URL, must not drift apart."""
    backend, mcp_server = PROJECT / "backend/src/todo_backend", PROJECT / "mcp-server/src/todo_mcp_server"
    assert (backend / name).read_bytes() == (mcp_server / name).read_bytes()
