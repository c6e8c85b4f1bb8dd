"""A model of the user's own, asked once from this machine before anything is built: address, key, name and protocol."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runbook.engine.errors import Unmeasurable, UsageError
from runbook.engine.redaction import redact
from runbook.engine.settings.values import OPENAI, THIS_MACHINE

if TYPE_CHECKING:
    import httpx

    from runbook.engine.settings import Settings

TIMEOUT = 15.0
"""Seconds: a model on the laptop may have to be loaded first."""
DEFAULT_MODEL = "gpt-4.1-mini"
"""What the backend asks for where OPENAI_MODEL is empty."""
SHOWN = 5
LISTEN = (
    "let it listen on all addresses: OLLAMA_HOST=0.0.0.0 ollama serve; LM Studio: serve on the local network; "
    "vLLM: --host 0.0.0.0"
)


def try_once(settings: Settings, machine_address: Callable[[], str]) -> None:
    """Ask for its models, and where it does not list the wanted one, for one word of an answer.

    `machine_address`: where pods reach this machine; see `runbook.cluster.Cluster`. A Service of the cluster is left to
    the pods. Raises `UsageError`, in one line and without the key.
    """
    base = settings.openai_base_url or OPENAI
    host = urlsplit(base).hostname or ""
    if ".svc" in host:
        return
    _ask(base, settings)
    if host == THIS_MACHINE:
        port = urlsplit(base).port or 80
        with suppress(
            Unmeasurable
        ):  # the cluster is not there yet: asked for again when the chart is rendered
            address = machine_address()
            if _local(address) and not _listens(address, port):
                raise UsageError(
                    f"the model at {THIS_MACHINE}:{port} answers on this machine's loopback only, and not at {address},"
                    " where pods reach this machine",
                    wanted="a server that listens there too, and no firewall between",
                    hint=LISTEN,
                )


def _ask(base: str, settings: Settings) -> None:
    import httpx

    key = settings.openai_api_key.get_secret_value()
    wanted = settings.openai_model or DEFAULT_MODEL
    headers = {"Authorization": f"Bearer {key or 'none'}"}
    here = urlsplit(base).hostname == THIS_MACHINE
    try:
        with httpx.Client(headers=headers, timeout=TIMEOUT, trust_env=not here) as client:
            models = client.get(f"{base}/models")
            names = _names(models)
            if {wanted, f"{wanted}:latest", f"models/{wanted}"} & set(
                names
            ):  # as Ollama and Gemini list them
                return
            _judge(base, models, key)
            if names:
                listed = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
                # Some serve more than they list: the model itself has the last word.
                _demand_reply(client, base, wanted, f"it serves {listed}")
                return
            _demand_reply(client, base, wanted, "", version=_is_below(client, base))
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        said = redact(str(problem)) or type(problem).__name__
        raise UsageError(
            f"the model at {base} does not answer: {said}",
            wanted="an OpenAI-compatible server that answers this machine",
            hint=f"curl {base}/models",
        ) from None


def _judge(base: str, answer: httpx.Response, key: str) -> None:
    if answer.status_code in (401, 403):
        given = "the key of OPENAI_API_KEY" if key else "no key (OPENAI_API_KEY is empty)"
        raise UsageError(
            f"the model at {base} refuses {given}: {answer.status_code} {_said(answer)}",
            wanted="a key that it takes",
            hint=f"mend OPENAI_API_KEY; curl -H 'Authorization: Bearer ...' {base}/models says the same",
        )


def _demand_reply(client: httpx.Client, base: str, model: str, serves: str, version: str = "") -> None:
    question = {"model": model, "messages": [{"role": "user", "content": "Say yes."}]}
    answer = client.post(f"{base}/chat/completions", json=question)
    _judge(base, answer, client.headers["Authorization"].removeprefix("Bearer ").removeprefix("none"))
    body = _body(answer)
    if answer.is_success and isinstance(body, dict) and isinstance(body.get("choices"), list):
        return
    if version:
        raise UsageError(
            f"the model's API is not at {base}, but at {version}",
            wanted="the address with its version",
            hint=f"OPENAI_BASE_URL={version}",
        )
    if isinstance(body, dict) and body.get("error") and (answer.status_code != 404 or serves):
        raise UsageError(
            f"the server at {base} does not take the model {model!r}: {answer.status_code} {_said(answer)}"
            + (f"; {serves}" if serves else ""),
            wanted="a model that it serves",
            hint="OPENAI_MODEL=<its name>",
        )
    raise UsageError(
        f"what answers at {base} has no OpenAI-compatible API: {answer.status_code} {_said(answer)}",
        wanted="a server with /chat/completions, such as https://api.openai.com/v1 or http://localhost:11434/v1",
        hint="mend OPENAI_BASE_URL; most servers want /v1 at the end",
    )


def _is_below(client: httpx.Client, base: str) -> str:
    """The address with /v1, where the API is there."""
    below = f"{base}/v1"
    answer = client.get(f"{below}/models")
    return below if _names(answer) or answer.status_code in (401, 403) else ""


def _names(answer: httpx.Response) -> list[str]:
    """The ids of a list of models; none where the answer is no such list."""
    body = _body(answer)
    data = body.get("data") if answer.is_success and isinstance(body, dict) else None
    return [str(each["id"]) for each in data or [] if isinstance(each, dict) and each.get("id")]


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _said(answer: httpx.Response) -> str:
    """Its own word on the error, on one line."""
    body = _body(answer)
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    text = str(message) if message else json.dumps(body) if body else answer.text
    return redact(" ".join(text.split())[:200])


def _local(address: str) -> bool:
    """Whether this machine has that address: only then can the pods' way be tried from here."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=3).close()
    except OSError:
        return False
    return True
