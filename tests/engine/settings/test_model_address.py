"""The model's address: one form of it, and one name for this machine."""

from __future__ import annotations

import pytest

from runbook.engine.errors import UsageError
from runbook.engine.settings import load


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://192.168.49.1:11434/v1/", "http://192.168.49.1:11434/v1"),
        ("http://192.168.49.1:11434/v1/chat/completions", "http://192.168.49.1:11434/v1"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "https://generativelanguage.googleapis.com/v1beta/openai",
        ),
    ],
)
def test_an_address_has_one_form(given: str, kept: str) -> None:
    assert load({}, {}, {"OPENAI_BASE_URL": given}).openai_base_url == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:11434/v1", "http://localhost:11434/v1"),
        ("http://127.0.0.1:11434/v1/", "http://localhost:11434/v1"),
        ("http://127.1.2.3:1234/v1", "http://localhost:1234/v1"),
        ("http://[::1]:11434/v1", "http://localhost:11434/v1"),
        ("http://0.0.0.0:8000/v1/chat/completions", "http://localhost:8000/v1"),
        ("http://ollama.localhost/v1", "http://localhost/v1"),
        ("http://Host.Docker.Internal:11434/v1", "http://localhost:11434/v1"),
        ("http://host.minikube.internal:11434", "http://localhost:11434"),
    ],
)
def test_this_machine_has_one_name(given: str, kept: str) -> None:
    assert load({}, {}, {"OPENAI_BASE_URL": given}).openai_base_url == kept


@pytest.mark.parametrize("given", ["https://localhost:8443/v1", "https://host.docker.internal/v1"])
def test_no_certificate_of_this_machine_is_one_that_pods_trust(given: str) -> None:
    with pytest.raises(UsageError, match="http:// for a model on this machine"):
        load({}, {}, {"OPENAI_BASE_URL": given})
