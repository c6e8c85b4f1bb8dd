"""A model asked once: what it lists, what it refuses, and what is no OpenAI-compatible server at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from runbook.clients import model
from runbook.engine.errors import Unmeasurable, UsageError
from runbook.engine.settings import Settings

KEY = "sk-of-a-test-0123456789"
LISTED = {"object": "list", "data": [{"id": "llama3.2:latest"}, {"id": "models/gemini-x"}, {"id": "m"}]}
REPLY = {"choices": [{"message": {"role": "assistant", "content": "yes"}}]}
ELSEWHERE = "192.0.2.254"
"""An address that this machine does not have."""
Answers = dict[str, tuple[int, Any]]
"""Path -> status and body; a path that is not there is 404 in plain text, as Go's servers answer it."""


@contextmanager
def serving(answers: Answers, key: str = "", host: str = "127.0.0.1") -> Iterator[int]:
    """A server on this machine; with `key` it refuses every other."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, body = answers.get(self.path, (404, "404 page not found"))
            if key and self.headers["Authorization"] != f"Bearer {key}":
                status, body = 401, {"error": {"message": f"Incorrect API key: {KEY}"}}
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815 (as the standard library calls them)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer((host, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(
    port: int,
    path: str = "/v1",
    name: str = "m",
    key: str = "",
    machine: Callable[[], str] = lambda: ELSEWHERE,
) -> None:
    settings = Settings(
        openai_base_url=f"http://localhost:{port}{path}", openai_model=name, openai_api_key=SecretStr(key)
    )
    model.try_once(settings, machine)


@pytest.mark.parametrize("name", ["m", "llama3.2", "gemini-x", "llama3.2:latest"])
def test_a_model_that_is_listed(name: str) -> None:
    with serving({"/v1/models": (200, LISTED)}, key=KEY) as port:
        ask(port, name=name, key=KEY)


@pytest.mark.parametrize("models", [(200, LISTED), (404, "not found"), (501, {"error": "no"})])
def test_one_that_is_served_and_not_listed(models: tuple[int, Any]) -> None:
    with serving({"/v1/models": models, "/v1/chat/completions": (200, REPLY)}) as port:
        ask(port, name="unlisted")


UNKNOWN = {"error": {"message": "model 'x' not found, try pulling it first"}}


@pytest.mark.parametrize(
    ("path", "name", "key", "answers", "words"),
    [
        ("/v1", "m", "sk-wrong", {}, ["refuses the key of OPENAI_API_KEY", "401"]),
        ("/v1", "m", "", {}, ["refuses no key (OPENAI_API_KEY is empty)"]),
        (
            "/v1",
            "x",
            KEY,
            {"/v1/models": (200, LISTED), "/v1/chat/completions": (404, UNKNOWN)},
            ["does not take the model 'x'", "try pulling it", "it serves llama3.2:latest", "OPENAI_MODEL="],
        ),
        (
            "",
            "m",
            KEY,
            {"/v1/models": (200, LISTED)},
            ["is not at", "/v1", "OPENAI_BASE_URL=http://localhost:"],
        ),
        (
            "/v1",
            "m",
            KEY,
            {"/v1/models": (200, "<html>a web page</html>")},
            ["no OpenAI-compatible API", "/v1"],
        ),
        ("/v1", "m", KEY, {"/v1/models": (200, [1])}, ["no OpenAI-compatible API"]),
        (
            "/v1",
            "m",
            KEY,
            {"/v1/chat/completions": (200, {"error": {"message": "out of credit"}})},
            ["does not take the model", "out of credit"],
        ),
        (
            "/v1",
            "m",
            KEY,
            {"/v1/chat/completions": (200, {"generated_text": "hi"})},
            ["no OpenAI-compatible API"],
        ),
    ],
)
def test_what_is_wrong_is_one_line(
    path: str, name: str, key: str, answers: Answers, words: list[str]
) -> None:
    with serving(answers, key=KEY) as port, pytest.raises(UsageError) as caught:
        ask(port, path, name, key)
    said = str(caught.value)
    assert all(word in said for word in words) and "\n" not in said


def test_nothing_there() -> None:
    with serving({}) as port:
        pass
    with pytest.raises(UsageError, match="does not answer"):
        ask(port)


def test_a_service_of_the_cluster_is_left_to_the_pods() -> None:
    model.try_once(Settings(openai_base_url="http://ollama.models.svc:11434/v1"), str)


class TestThisMachine:
    def test_listening_where_the_pods_come(self) -> None:
        with serving({"/v1/models": (200, LISTED)}, host="0.0.0.0") as port:
            ask(port, machine=lambda: "127.0.0.2")

    def test_listening_on_the_loopback_alone(self) -> None:
        with (
            serving({"/v1/models": (200, LISTED)}) as port,
            pytest.raises(UsageError, match=r"loopback only, and not at 127\.0\.0\.2") as caught,
        ):
            ask(port, machine=lambda: "127.0.0.2")
        assert "OLLAMA_HOST=0.0.0.0" in caught.value.hint

    def test_an_address_in_a_machine_of_dockers_own_cannot_be_tried_from_here(self) -> None:
        with serving({"/v1/models": (200, LISTED)}) as port:
            ask(port, machine=lambda: ELSEWHERE)

    def test_before_the_first_deploy_there_is_no_address_yet(self) -> None:
        def away() -> str:
            raise Unmeasurable("there is no node")

        with serving({"/v1/models": (200, LISTED)}) as port:
            ask(port, machine=away)

    def test_a_cluster_that_knows_no_way_refuses(self) -> None:
        def none() -> str:
            raise UsageError("how its pods reach this machine is not known")

        with serving({"/v1/models": (200, LISTED)}) as port, pytest.raises(UsageError, match="not known"):
            ask(port, machine=none)
