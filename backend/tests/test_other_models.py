"""Tool calls as servers other than OpenAI's stream them: carried out once, or a true answer says why not."""

import json
from typing import Any

import pytest
from harness.model import ScriptedModel, last, text
from people import Person

MILK, EGGS = '{"title":"milk"}', '{"title":"eggs"}'


def call(number: Any, id_: Any, name: Any, arguments: Any, **more: Any) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value != "absent"}
    whole = {"index": number, "id": id_, "type": "function", "function": function, **more}
    return {key: value for key, value in whole.items() if value != "absent"}


def part(*calls: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"delta": {"role": "assistant", "content": "", "tool_calls": list(calls)}, "finish_reason": finish}


def end(reason: str | None = "tool_calls") -> dict[str, Any]:
    return {"delta": {}, "finish_reason": reason}


TWO_CALLS = {
    "as OpenAI": [part(call(0, "a", "add_task", MILK)), part(call(1, "b", "add_task", EGGS)), end()],
    "one index": [part(call(0, "a", "add_task", MILK)), part(call(0, "b", "add_task", EGGS)), end()],
    "one index, in one part": [part(call(0, "a", "add_task", MILK), call(0, "b", "add_task", EGGS)), end()],
    "no ids": [part(call(0, "absent", "add_task", MILK)), part(call(0, "absent", "add_task", EGGS)), end()],
    "null ids": [part(call(0, None, "add_task", MILK)), part(call(1, None, "add_task", EGGS)), end()],
    "empty ids": [part(call(0, "", "add_task", MILK), call(1, "", "add_task", EGGS)), end()],
    "no index": [part(call("absent", "a", "add_task", MILK), call("absent", "b", "add_task", EGGS)), end()],
    "no index, two parts": [
        part(call("absent", "a", "add_task", MILK)),
        part(call("absent", "b", "add_task", EGGS)),
        end(),
    ],
    "in pieces at one index": [
        part(call(0, "a", "add_task", "")),
        part(call(0, "absent", "absent", MILK[:6])),
        part(call(0, "absent", "absent", MILK[6:])),
        part(call(0, "b", "add_task", EGGS[:4])),
        part(call(0, None, None, EGGS[4:])),
        end(),
    ],
    "ids and names repeated": [
        part(call(0, "a", "add_task", MILK[:6])),
        part(call(0, "a", "add_task", MILK[6:])),
        part(call(0, "b", "add_task", EGGS[:6])),
        part(call(0, "b", "add_task", EGGS[6:])),
        end(),
    ],
    "arguments as objects": [
        part(call(0, "a", "add_task", {"title": "milk"})),
        part(call(1, "b", "add_task", {"title": "eggs"})),
        end(),
    ],
    "ended by stop": [part(call(0, "a", "add_task", MILK), call(1, "b", "add_task", EGGS)), end("stop")],
    "ended within": [
        part(call(0, "a", "add_task", MILK), call(1, "b", "add_task", EGGS), finish="tool_calls")
    ],
    "no type": [
        part(call(0, "a", "add_task", MILK, type="absent"), call(1, "b", "add_task", EGGS, type=None)),
        end(),
    ],
}


@pytest.mark.parametrize("stream", TWO_CALLS.values(), ids=TWO_CALLS)
def test_two_calls_are_two_tasks(alice: Person, model: ScriptedModel, stream: list[dict[str, Any]]) -> None:
    model.steps(stream, text("Added."))
    answer = alice.http.post("chat", json={"message": "add milk and eggs"})
    assert answer.status_code == 200, answer.text
    assert sorted(task["title"] for task in alice.http.get("tasks").json()["tasks"]) == ["eggs", "milk"]
    assert [each["arguments"]["title"] for each in answer.json()["tool_calls"]] == ["milk", "eggs"]
    told = [message for message in model.requests[1]["messages"] if message["role"] == "tool"]
    assert len({message["tool_call_id"] for message in told}) == 2


@pytest.mark.parametrize("nothing", ["", None, "absent", {}, "{}"])
def test_a_call_without_arguments_runs(alice: Person, model: ScriptedModel, nothing: Any) -> None:
    model.steps([part(call(0, "a", "list_tasks", nothing)), end()], text("Nothing to do."))
    answer = alice.http.post("chat", json={"message": "show"})
    assert answer.status_code == 200
    assert answer.json()["tool_calls"][0]["result"]["success"] is True


DEEP = 50_000


@pytest.mark.parametrize(
    "arguments",
    [
        "null",
        "[]",
        '"milk"',
        "7",
        "{",
        '{"title":',
        "[" * DEEP,
        '{"title":' * DEEP,
        '{"title":' + "[" * 500 + "]" * 500 + "}",
    ],
    ids=lambda arguments: arguments[:12],
)
def test_arguments_that_cannot_be_used_are_told_to_the_model(
    alice: Person, model: ScriptedModel, arguments: str
) -> None:
    def script(body: dict[str, Any]) -> Any:
        if last(body)["role"] != "tool":
            return [part(call(0, "a", "add_task", arguments)), end()]
        return text("That did not work: " + json.dumps(last(body)["content"])[:40])

    model.script = script
    answer = alice.http.post("chat", json={"message": "add milk"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["response"].startswith("That did not work")
    [made] = answer.json()["tool_calls"]
    assert "error" in made["result"]
    assert alice.http.get("tasks").json()["total"] == 0
