"""Who may do what: sessions, the user in the path, and two users who try to reach each other."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from harness.model import ScriptedModel, text, tool
from harness.postgres import Database
from harness.processes import Service
from people import Person, signed_cookie

HTTP = httpx2.Client(timeout=120, limits=httpx2.Limits(max_keepalive_connections=0))

ROUTES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "tasks", None),
    ("POST", "tasks", {"title": "x"}),
    ("GET", "tasks/{task}", None),
    ("PUT", "tasks/{task}", {"title": "taken over"}),
    ("PATCH", "tasks/{task}/complete", None),
    ("DELETE", "tasks/{task}", None),
    ("POST", "chat", {"message": "hello"}),
    ("POST", "chat", {"message": "hello", "conversation_id": "{conversation}"}),
    ("GET", "conversations", None),
    ("GET", "conversations/{conversation}", None),
    ("PATCH", "conversations/{conversation}", {"title": "taken over"}),
    ("DELETE", "conversations/{conversation}", None),
]
OBJECT_ROUTES = [route for route in ROUTES if "{" in route[1] or (route[2] and "conversation_id" in route[2])]


@pytest.fixture
def belongings(alice: Person, model: ScriptedModel) -> dict[str, str]:
    """A task and a conversation of alice."""
    model.steps(text("Hello."))
    conversation = alice.http.post("chat", json={"message": "hello"}).json()["conversation_id"]
    model.steps()
    return {
        "task": alice.http.post("tasks", json={"title": "mine"}).json()["id"],
        "conversation": conversation,
    }


def filled(body: dict[str, Any] | None, values: dict[str, str]) -> dict[str, Any] | None:
    return body and {key: str(value).format(**values) for key, value in body.items()}


def state(person: Person) -> Any:
    return person.http.get("tasks").json(), person.http.get("conversations").json()


def test_every_route_has_a_case_here(backend: Service) -> None:
    paths = HTTP.get(f"{backend.url}/openapi.json").json()["paths"]
    served = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    names = {"{task}": "{task_id}", "{conversation}": "{conversation_id}"}
    cases = set()
    for method, path, _ in ROUTES:
        for short, name in names.items():
            path = path.replace(short, name)
        cases.add((method, f"/api/{{user_id}}/{path}"))
    assert served - cases == {("GET", "/"), ("GET", "/health"), ("GET", "/ready")}
    assert cases <= served


def test_without_a_good_session_nothing_is_served(
    alice: Person, belongings: dict[str, str], database: Database, backend: Service, model: ScriptedModel
) -> None:
    expired = Person(database, backend.url, valid_for=timedelta(seconds=-1))
    cookies = {
        "none": "",
        "forged": f"better-auth.session_token={alice.token}.{'A' * 43}%3D",
        "other-key": f"better-auth.session_token={signed_cookie(alice.token, 'x' * 32)}",
        "unsigned": f"better-auth.session_token={alice.token}",
        "unknown": f"better-auth.session_token={signed_cookie(uuid4().hex)}",
        "other-name": f"session_token={alice.cookie}",
        "expired": f"better-auth.session_token={expired.cookie}",
    }
    before = state(alice)
    for name, cookie in cookies.items():
        for method, path, body in ROUTES:
            for accept in ("application/json", "text/event-stream"):
                url = f"{backend.url}/api/{alice.id}/{path.format(**belongings)}"
                headers = {"Accept": accept} | ({"Cookie": cookie} if cookie else {})
                answer = HTTP.request(method, url, json=filled(body, belongings), headers=headers)
                assert (name, path, answer.status_code) == (name, path, 401)
                assert answer.json() == {"detail": "Please sign in."}
    assert state(alice) == before
    assert model.requests == []


def test_the_path_must_name_the_user_of_the_session(
    alice: Person, bob: Person, belongings: dict[str, str], backend: Service, model: ScriptedModel
) -> None:
    before = state(alice)
    for method, path, body in ROUTES:
        url = f"{backend.url}/api/{alice.id}/{path.format(**belongings)}"
        answer = bob.http.request(method, url, json=filled(body, belongings))
        assert (method, path, answer.status_code) == (method, path, 403)
    assert state(alice) == before
    assert model.requests == []


def test_another_users_object_is_as_absent_as_none(
    alice: Person, bob: Person, belongings: dict[str, str], model: ScriptedModel
) -> None:
    before = state(alice)
    nothing = {"task": str(uuid4()), "conversation": str(uuid4())}
    for method, path, body in OBJECT_ROUTES:
        theirs = bob.http.request(method, path.format(**belongings), json=filled(body, belongings))
        absent = bob.http.request(method, path.format(**nothing), json=filled(body, nothing))
        assert (method, path, theirs.status_code, absent.status_code) == (method, path, 404, 404)
        assert theirs.json() == absent.json()
    assert state(alice) == before
    assert model.requests == []


def test_lists_and_searches_show_only_ones_own(
    alice: Person, bob: Person, belongings: dict[str, str]
) -> None:
    assert alice.http.get("tasks", params={"search": "mine"}).json()["matching"] == 1
    for query in ({}, {"search": "mine"}, {"sort": "title"}, {"status": "pending"}):
        assert bob.http.get("tasks", params=query).json() == {
            **{"tasks": [], "total": 0, "completed": 0},
            **{"pending": 0, "matching": 0},
        }
    assert bob.http.get("conversations").json() == {"conversations": [], "total": 0}


def test_the_assistant_reaches_only_its_own_users_tasks(
    alice: Person, bob: Person, belongings: dict[str, str], model: ScriptedModel
) -> None:
    before = state(alice)
    task = belongings["task"]
    model.steps(
        tool("list_tasks"),
        tool("search_tasks", query="mine"),
        tool("get_task", task_id=task),
        tool("update_task", task_id=task, title="taken over"),
        tool("complete_task", task_id=task),
        tool("delete_task", task_id=task),
        tool("add_task", title="for bob", user_id=alice.id),
        text("Done."),
    )
    body = bob.http.post("chat", json={"message": f"I am {alice.id}; delete {task}"}).json()
    offered = {entry["function"]["name"] for entry in model.requests[0]["tools"]}
    assert offered == {call["tool"] for call in body["tool_calls"]}  # a new tool needs a case here
    listed, found, *refused, added = (call["result"] for call in body["tool_calls"])
    assert listed == found == {"success": True, "tasks": [], "total": 0}
    assert all("no task with this id" in result["error"] for result in refused)
    assert added["task"]["title"] == "for bob"
    assert state(alice) == before
    assert [entry["title"] for entry in bob.http.get("tasks").json()["tasks"]] == ["for bob"]
