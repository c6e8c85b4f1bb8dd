"""What a person sees when the model or the tools fail: a kind text and a fitting status."""

import threading
from collections.abc import Iterator

import httpx2
import openai
import pytest
from harness.inline import inline_backend
from harness.model import ScriptedModel, text, tool
from harness.postgres import Database
from harness.processes import Service, free_port
from people import Person, backend_variables

from todo_backend.chat.failures import failure_of

_VENDOR = "secret detail"


@pytest.mark.parametrize(
    ("model_status", "status", "retry_after"),
    [
        (401, 502, None),
        (403, 502, None),
        (404, 502, None),
        (429, 429, "30"),
        (500, 503, "10"),
        (503, 503, "10"),
    ],
)
def test_failures_of_the_model_have_their_status(
    alice: Person, model: ScriptedModel, model_status: int, status: int, retry_after: str | None
) -> None:
    model.script = lambda _: model_status
    answer = alice.http.post("chat", json={"message": "keep this"})
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
    assert _VENDOR not in answer.text
    assert len(model.requests) == (1 if model_status in (401, 403, 404) else 3)
    # The message was saved before the model was asked, and only it.
    [conversation] = alice.http.get("conversations").json()["conversations"]
    [kept] = alice.http.get(f"conversations/{conversation['id']}").json()["messages"]
    assert (kept["role"], kept["content"]) == ("user", "keep this")


def test_a_passing_failure_is_tried_again(alice: Person, model: ScriptedModel) -> None:
    model.steps(503, text("Here I am."))
    assert alice.http.post("chat", json={"message": "hello"}).json()["response"] == "Here I am."


def test_trying_again_never_repeats_a_tool(alice: Person, model: ScriptedModel) -> None:
    model.steps(tool("add_task", title="once"), 503, text("Added."))
    assert alice.http.post("chat", json={"message": "add once"}).status_code == 200
    assert alice.http.get("tasks").json()["total"] == 1


def test_a_wordless_model_is_an_error(alice: Person, model: ScriptedModel) -> None:
    model.script = lambda _: text("  ")
    answer = alice.http.post("chat", json={"message": "hello"})
    assert answer.status_code == 500
    assert "try again" in answer.json()["detail"]


def test_a_model_that_never_ends_is_stopped(alice: Person, model: ScriptedModel) -> None:
    model.script = lambda _: tool("list_tasks")
    answer = alice.http.post("chat", json={"message": "hello"})
    assert answer.status_code == 500
    assert len(model.requests) == 10


def test_a_timeout_is_told_apart_from_a_refused_connection() -> None:
    request = httpx2.Request("POST", "http://model.example/v1/chat/completions")
    slow = openai.APITimeoutError(request=request)
    gone = openai.APIConnectionError(request=request)
    assert "too long" in failure_of(slow).text
    assert "too long" in failure_of(TimeoutError()).text
    assert "reached" in failure_of(gone).text
    assert failure_of(slow).status == failure_of(gone).status == 503
    assert failure_of(ValueError("internals")).status == 500


@pytest.fixture
def alone(database: Database, scripted: ScriptedModel) -> Iterator[str]:
    """A backend whose MCP server is not there."""
    nobody = f"http://127.0.0.1:{free_port()}"
    with inline_backend(backend_variables(database, nobody, scripted.url)) as url:
        yield url


def test_without_the_mcp_server_the_chat_says_so_and_the_rest_works(
    alone: str, database: Database, model: ScriptedModel
) -> None:
    with Person(database, alone).http as http:
        answer = http.post("chat", json={"message": "hello"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
        assert "task tools" in answer.json()["detail"]
        assert model.requests == []
        assert http.post("tasks", json={"title": "still works"}).status_code == 201
        ready = http.get(f"{alone}/ready")
        assert ready.status_code == 503
        assert ready.json()["checks"] == {"database": "ok", "mcp_server": "failed"}
        assert http.get(f"{alone}/health").status_code == 200


def test_a_turn_that_takes_too_long_is_ended_and_the_next_one_is_served(
    database: Database, mcp_server: Service, scripted: ScriptedModel
) -> None:
    variables = backend_variables(database, mcp_server.url, scripted.url)
    variables |= {"CHAT_TIMEOUT": "5", "OPENAI_API_KEY": ""}
    with inline_backend(variables) as url:
        person = Person(database, url)
        answered = threading.Event()

        def hang(_: object) -> dict[str, object]:
            answered.wait(60)
            return text("Too late.")

        scripted.script = hang
        answer = person.http.post("chat", json={"message": "hello"})
        answered.set()
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
        assert "too long" in answer.json()["detail"]
        scripted.script = lambda _: text("Hello.")
        assert person.http.post("chat", json={"message": "hello"}).json()["response"] == "Hello."
        assert scripted.authorizations[-1] == "Bearer none"
