"""The whole way of a chat: API, agent, MCP server, database; only the model is scripted."""

import json
from uuid import UUID, uuid4

from harness.model import ScriptedModel, last, text, tool
from harness.postgres import Database
from harness.processes import Service
from people import API_KEY, Person


def test_a_message_creates_a_task_through_the_mcp_server(
    alice: Person, model: ScriptedModel, database: Database, mcp_server: Service, backend: Service
) -> None:
    model.steps(tool("add_task", title="buy milk", priority="high", due_date="2030-01-31"), text("Added!"))
    request_id = f"test-{uuid4().hex}"

    answer = alice.http.post("chat", json={"message": "add buy milk"}, headers={"X-Request-ID": request_id})

    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Request-ID"] == request_id
    body = answer.json()
    assert (body["response"], body["model"]) == ("Added!", "scripted")
    [call] = body["tool_calls"]
    assert call["tool"] == "add_task"
    assert call["arguments"] == {"title": "buy milk", "priority": "high", "due_date": "2030-01-31"}
    [row] = database.rows("SELECT * FROM task WHERE user_id = $1", alice.id)
    assert call["result"]["task"]["id"] == str(row["id"])
    assert (row["title"], row["priority"], row["description"]) == ("buy milk", "high", "")
    assert row["target_completion_date"].isoformat() == "2030-01-31T00:00:00+00:00"

    [seen] = [line for line in mcp_server.lines() if line.get("request_id") == request_id]
    assert (seen["event"], seen["tool"], seen["outcome"]) == ("tool_call", "add_task", "ok")
    assert seen["task_id"] == str(row["id"])
    said = [line["event"] for line in backend.lines() if line.get("request_id") == request_id]
    assert said == ["mcp_tool_call", "request"]


def test_the_model_sees_tools_without_a_user_and_the_results(
    alice: Person, model: ScriptedModel, database: Database
) -> None:
    model.steps(tool("list_tasks"), text("None."))
    assert alice.http.post("chat", json={"message": "show all"}).status_code == 200
    first, second = model.requests
    offered = {entry["function"]["name"]: entry["function"]["parameters"] for entry in first["tools"]}
    assert set(offered) == {
        *("add_task", "list_tasks", "get_task", "search_tasks"),
        *("update_task", "complete_task", "delete_task"),
    }
    assert "user" not in json.dumps(offered).lower()
    assert last(second)["role"] == "tool"
    assert json.loads(last(second)["content"]) == {"success": True, "tasks": [], "total": 0}
    assert model.authorizations[-1] == f"Bearer {API_KEY}"


def test_every_tool_can_be_reached(alice: Person, model: ScriptedModel, database: Database) -> None:
    created = alice.http.post("tasks", json={"title": "write"}).json()["id"]
    model.steps(
        tool("update_task", task_id=created, title="write more"),
        tool("complete_task", task_id=created),
        tool("list_tasks", status="completed"),
        tool("delete_task", task_id=created),
        text("Done."),
    )
    body = alice.http.post("chat", json={"message": "do it all"}).json()
    updated, completed, listed, deleted = (call["result"] for call in body["tool_calls"])
    assert updated["task"]["title"] == "write more"
    assert completed["task"]["is_completed"]
    assert [task["id"] for task in listed["tasks"]] == [created]
    assert deleted == {"success": True, "id": created, "title": "write more"}
    assert database.rows("SELECT id FROM task WHERE user_id = $1", alice.id) == []


def test_a_failing_tool_is_told_to_the_model_and_shown(alice: Person, model: ScriptedModel) -> None:
    model.steps(tool("complete_task", task_id=str(uuid4())), text("I found no such task."))
    body = alice.http.post("chat", json={"message": "complete it"}).json()
    assert body["response"] == "I found no such task."
    assert "could not complete the task: no task with this id" in body["tool_calls"][0]["result"]["error"]
    assert "no task with this id" in json.dumps(last(model.requests[-1]))


def test_a_conversation_goes_on_and_keeps_its_messages(alice: Person, model: ScriptedModel) -> None:
    model.steps(text("Hello."), tool("add_task", title="rest"), text("Done."))
    first = alice.http.post("chat", json={"message": "hello\nthere"}).json()
    second = alice.http.post(
        "chat", json={"message": "add rest", "conversation_id": first["conversation_id"]}
    ).json()
    assert second["conversation_id"] == first["conversation_id"]
    told = [(message["role"], message["content"]) for message in model.requests[1]["messages"]]
    assert told[1:] == [("user", "hello\nthere"), ("assistant", "Hello."), ("user", "add rest")]
    assert told[0][0] == "system"

    kept = alice.http.get(f"conversations/{first['conversation_id']}").json()
    assert kept["title"] == "hello there"
    assert [message["role"] for message in kept["messages"]] == ["user", "assistant", "user", "assistant"]
    assert kept["messages"][0]["tool_calls"] is None
    assert kept["messages"][3]["tool_calls"] == second["tool_calls"]
    UUID(kept["messages"][0]["id"])


def test_an_unknown_conversation_is_not_found_and_asks_no_model(alice: Person, model: ScriptedModel) -> None:
    answer = alice.http.post("chat", json={"message": "hello", "conversation_id": str(uuid4())})
    assert answer.status_code == 404
    assert model.requests == []


def test_messages_have_limits(alice: Person, model: ScriptedModel) -> None:
    model.script = lambda _: text("ok")
    assert alice.http.post("chat", json={"message": "x" * 2000}).status_code == 200
    for message in ("x" * 2001, "", "   ", "nul\0"):
        assert alice.http.post("chat", json={"message": message}).status_code == 422


def test_odd_characters_of_a_model_fail_no_turn(alice: Person, model: ScriptedModel) -> None:
    model.steps(tool("add_task", title="nul\0", description="fine"), text("Sorry\0 \ud83d."))
    answer = alice.http.post("chat", json={"message": "hello"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["response"] == "Sorry ?."
    [call] = body["tool_calls"]
    assert call["arguments"] == {"title": "nul", "description": "fine"}
    assert "error" in call["result"]
    kept = alice.http.get(f"conversations/{body['conversation_id']}").json()["messages"][-1]
    assert (kept["content"], kept["tool_calls"]) == ("Sorry ?.", body["tool_calls"])
