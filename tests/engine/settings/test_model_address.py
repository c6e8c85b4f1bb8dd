"""The model's address: one form of it, and no address that is another machine to a pod."""

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
    "given",
    [
        "http://localhost:11434/v1",
        "http://127.0.0.1:11434/v1",
        "http://127.1.2.3:1234/v1",
        "http://[::1]:11434/v1",
        "http://0.0.0.0:8000/v1",
        "http://ollama.localhost/v1",
        "http://host.docker.internal:11434/v1",
        "http://host.minikube.internal:11434/v1",
    ],
)
def test_an_address_that_means_the_pod_itself_is_refused_with_the_way(given: str) -> None:
    with pytest.raises(UsageError, match="an address that pods reach") as caught:
        load({}, {}, {"OPENAI_BASE_URL": given})
    assert "OLLAMA_HOST=0.0.0.0" in str(caught.value)
