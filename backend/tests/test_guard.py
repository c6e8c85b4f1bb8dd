"""The topic guard: foreign messages are refused, judged with the conversation, at no extra request."""

from collections.abc import Iterator
from typing import Any

import pytest
from harness.inline import inline_backend
from harness.model import ScriptedModel, text, tool
from harness.postgres import Database
from harness.processes import Service
from people import Person, backend_variables
from test_stream import EVENTS, parsed

from todo_backend.chat.assistant import without_broken_blocks
from todo_backend.chat.guard import OFF_TOPIC, REFUSAL, HeldBack, is_refusal


@pytest.mark.parametrize("word", [OFF_TOPIC, f" {OFF_TOPIC}.\n", "`off_topic`"])
def test_a_foreign_message_is_refused_with_what_is_possible(
    alice: Person, model: ScriptedModel, word: str
) -> None:
    model.steps(text(word))
    answer = alice.http.post("chat", json={"message": "who won the match?"})
    assert (answer.status_code, answer.json()["detail"]) == (403, REFUSAL)
    assert len(model.requests) == 1
    conversation = answer.json()["conversation_id"]
    kept = alice.http.get(f"conversations/{conversation}").json()["messages"]
    assert [message["content"] for message in kept] == ["who won the match?", REFUSAL]
    # The next message is judged with what was said.
    model.steps(text("Which one do you mean?"))
    said = {"message": "the second one", "conversation_id": conversation}
    assert alice.http.post("chat", json=said).status_code == 200
    assert [turn["content"] for turn in model.requests[0]["messages"]][1:] == [
        "who won the match?",
        REFUSAL,
        "the second one",
    ]


def test_the_word_never_reaches_a_stream(alice: Person, model: ScriptedModel) -> None:
    model.steps(text(OFF_TOPIC))
    answer = alice.http.post("chat", json={"message": "who won?"}, headers=EVENTS)
    assert OFF_TOPIC not in answer.text
    [(first, _), (last, failure)] = parsed(answer.text)
    assert (first, last) == ("conversation", "error")
    assert (failure["status"], failure["detail"]) == (403, REFUSAL)


def test_a_message_whose_tools_have_run_is_not_refused(alice: Person, model: ScriptedModel) -> None:
    model.steps(tool("add_task", title="x"), text(OFF_TOPIC))
    answer = alice.http.post("chat", json={"message": "add x"})
    assert answer.status_code == 500
    assert OFF_TOPIC not in answer.text


def test_what_begins_like_the_word_is_shown_in_full() -> None:
    for pieces in (["OFF", " we go"], ["OFF_TOP"], ["Hello"], ["*Off", "ice", " done"], ["", "x"]):
        held = HeldBack()
        shown = "".join(held.pass_on(piece) for piece in pieces)
        assert shown == ("" if is_refusal("".join(pieces)) or pieces == ["OFF_TOP"] else "".join(pieces))


def test_broken_task_blocks_are_not_shown() -> None:
    whole = 'Here:\n```json\n{"tasks": []}\n```\nAnything else?'
    assert without_broken_blocks(whole) == whole
    assert without_broken_blocks('Here:\n```json\n{"tasks": [') == "Here:\n"
    assert without_broken_blocks("Here:\n```json\n{tasks}\n```\nDone.") == "Here:\n\nDone."


@pytest.fixture
def guarded(database: Database, mcp_server: Service, scripted: ScriptedModel) -> Iterator[Person]:
    """A person whose backend asks a second model first."""
    variables = backend_variables(database, mcp_server.url, scripted.url) | {"GUARD_MODEL": "guard"}
    with inline_backend(variables) as url:
        yield Person(database, url)


def test_a_guard_of_its_own_is_asked_first(guarded: Person, model: ScriptedModel) -> None:
    verdict: list[dict[str, Any] | int] = [text("NO")]

    def script(body: dict[str, Any]) -> dict[str, Any] | int:
        return verdict[0] if body["model"] == "guard" else text("Hello.")

    model.script = script
    assert guarded.http.post("chat", json={"message": "who won?"}).status_code == 403
    assert [body["model"] for body in model.requests] == ["guard"]
    for passes in (text("YES"), text(""), 500):
        verdict[0] = passes
        assert guarded.http.post("chat", json={"message": "hello"}).status_code == 200
