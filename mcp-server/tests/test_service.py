"""The process over plain HTTP: who may speak to it, under which name, and what it writes down."""

import base64
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from callers import SIGNING_KEY, Caller, token, variables
from harness.postgres import PASSWORD, Database
from harness.processes import MCP_SERVER, Service, executable, free_port, service

HTTP = httpx2.Client(timeout=120, limits=httpx2.Limits(max_keepalive_connections=0))

MESSAGE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "list_tasks", "arguments": {}},
}


def post(url: str, bearer: str | None, **headers: str) -> httpx2.Response:
    whole = {"Accept": "application/json, text/event-stream", **headers}
    if bearer is not None:
        whole["Authorization"] = f"Bearer {bearer}"
    return HTTP.post(f"{url}/mcp", json=MESSAGE, headers=whole)


def unsigned(user_id: str) -> str:
    """A token that claims to need no signature."""

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    now = int(time.time())
    claims = {"iss": "todo-backend", "aud": "todo-mcp-server", "sub": user_id, "iat": now, "exp": now + 60}
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def test_a_good_token_is_served(running: Service, alice: Caller) -> None:
    answer = post(running.url, token(alice.id))
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["structuredContent"] == {"success": True, "tasks": [], "total": 0}


@pytest.mark.parametrize(
    "bearer",
    [
        pytest.param(None, id="none"),
        pytest.param("nonsense", id="nonsense"),
        pytest.param(token("someone", key="x" * 32), id="other-key"),
        pytest.param(token("someone", algorithm="HS512"), id="other-algorithm"),
        pytest.param(token("someone", iss="somebody"), id="other-issuer"),
        pytest.param(token("someone", aud="elsewhere"), id="other-audience"),
        pytest.param(token("someone", exp=int(time.time()) - 60), id="expired"),
        pytest.param(token("someone", iat=int(time.time()) + 600), id="from-the-future"),
        pytest.param(token("someone", exp=None), id="without-expiry"),
        pytest.param(token("someone", aud=None), id="without-audience"),
        pytest.param(token("someone", sub=None), id="without-subject"),
        pytest.param(token(""), id="empty-subject"),
        pytest.param(unsigned("someone"), id="unsigned"),
    ],
)
def test_every_other_token_is_refused(running: Service, bearer: str | None) -> None:
    answer = post(running.url, bearer)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "tasks" not in answer.text


def test_an_expired_token_is_refused_where_a_fresh_one_is_served(running: Service, alice: Caller) -> None:
    # The control for the cases above: only the expiry differs.
    now = int(time.time())
    assert post(running.url, token(alice.id, exp=now + 60)).status_code == 200
    assert post(running.url, token(alice.id, exp=now - 60)).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("mcp-server-svc:8080", 200),
        ("mcp-server-svc", 200),
        ("mcp-server-svc.todo:8080", 200),
        ("mcp-server-svc.todo.svc.cluster.local:8080", 200),
        ("localhost:3500", 200),
        ("evil.example:8080", 421),
        ("mcp-server-svc.evil.example:8080", 421),
    ],
)
def test_the_server_answers_to_its_names_only(
    running: Service, alice: Caller, host: str, status: int
) -> None:
    assert post(running.url, token(alice.id), Host=host).status_code == status


def test_probes_ask_by_the_pods_address_and_without_a_token(running: Service) -> None:
    answer = HTTP.get(f"{running.url}/health", headers={"Host": "10.0.0.7:8080"})
    assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})


def test_further_names_can_be_allowed(database: Database, alice: Caller, tmp_path: Path) -> None:
    wanted = variables(database) | {"ALLOWED_HOSTS": "tools.example, other.example"}
    with service([executable(MCP_SERVER, "todo-mcp-server")], wanted, tmp_path / "log") as started:
        assert post(started.url, token(alice.id), Host="tools.example:80").status_code == 200
        assert post(started.url, token(alice.id), Host="third.example:80").status_code == 421


def test_pages_of_browsers_are_refused(running: Service, alice: Caller) -> None:
    assert post(running.url, token(alice.id), Origin="http://evil.example").status_code == 403


def test_large_bodies_are_refused(running: Service, alice: Caller) -> None:
    answer = HTTP.post(
        f"{running.url}/mcp",
        content=b"x" * 70_000,
        headers={"Authorization": f"Bearer {token(alice.id)}", "Content-Type": "application/json"},
    )
    assert answer.status_code == 413


def test_each_call_is_one_line_with_its_outcome(running: Service, alice: Caller) -> None:
    request_id, private = uuid4().hex, f"private-{uuid4().hex}"
    task = alice.call("add_task", request_id=request_id, title=private).structured_content["task"]
    alice.call("list_tasks", request_id=request_id)
    alice.call("complete_task", request_id=request_id, task_id=str(uuid4()))
    alice.call("add_task", request_id=request_id, title=private, priority=private)
    alice.call("no_such_tool", request_id=request_id)

    calls = [line for line in running.lines() if line.get("request_id") == request_id]
    assert [(line["event"], line["tool"], line["outcome"]) for line in calls] == [
        ("tool_call", "add_task", "ok"),
        ("tool_call", "list_tasks", "ok"),
        ("tool_call", "complete_task", "error"),
        ("tool_call", "add_task", "error"),
        ("tool_call", "no_such_tool", "error"),
    ]
    assert calls[0]["task_id"] == task["id"]
    assert all(line["duration_ms"] >= 0 for line in calls)
    log = running.log.read_text()
    for secret in (private, SIGNING_KEY, PASSWORD, "eyJ"):
        assert secret not in log


def test_without_a_database_the_process_lives_and_tools_say_so(
    alice: Caller, database: Database, tmp_path: Path
) -> None:
    wanted = variables(replace(database, port=free_port()))
    with service([executable(MCP_SERVER, "todo-mcp-server")], wanted, tmp_path / "log") as started:
        assert HTTP.get(f"{started.url}/health").json() == {"status": "healthy"}
        stranded = Caller(database, started.url)
        told = stranded.refused("list_tasks")
        assert "could not list the tasks: the task database did not answer" in told
        log = (tmp_path / "log").read_text()
        assert "database_error" in log
        assert PASSWORD not in log
    assert not alice.call("list_tasks").is_error


def test_a_lost_database_connection_is_replaced(alice: Caller, database: Database) -> None:
    assert not alice.call("list_tasks").is_error
    database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'todo_mcp'")
    assert not alice.call("list_tasks").is_error


def test_each_refusal_is_one_line_without_who(running: Service, alice: Caller) -> None:
    asked = [uuid4().hex for _ in range(3)]
    assert post(running.url, None, **{"X-Request-ID": asked[0]}).status_code == 401
    large = HTTP.post(
        f"{running.url}/mcp",
        content=b"x" * 1_000_000,
        headers={"Authorization": f"Bearer {token(alice.id)}", "X-Request-ID": asked[1]},
    )
    assert large.status_code == 413
    chunks = HTTP.post(
        f"{running.url}/mcp",
        content=(b"x" * 10_000 for _ in range(100)),
        headers={
            "Authorization": f"Bearer {token(alice.id)}",
            "X-Request-ID": asked[2],
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        },
    )
    assert chunks.status_code == 413
    lines = [line for line in running.lines() if line.get("security")]
    found = [[line["event"] for line in lines if line["request_id"] == request] for request in asked]
    assert found == [["unauthenticated"], ["body_refused"], ["body_refused"]]
    assert alice.id not in str(lines)


def test_a_message_that_comes_twice_makes_one_task(running: Service, alice: Caller, bob: Caller) -> None:
    same = str(uuid4())
    add = MESSAGE | {"params": {"name": "add_task", "arguments": {"title": "once"}}}

    def send(who: Caller, message: str) -> dict[str, Any]:
        headers = {
            "Accept": "application/json, text/event-stream",
            "Authorization": f"Bearer {token(who.id, jti=message)}",
        }
        answer = HTTP.post(f"{running.url}/mcp", json=add, headers=headers)
        task: dict[str, Any] = answer.json()["result"]["structuredContent"]["task"]
        return task

    assert send(alice, same) == send(alice, same)
    assert len({send(alice, message)["id"] for message in (same, str(uuid4()), "no uuid", "no uuid")}) == 4
    assert send(bob, same)["id"] != send(alice, same)["id"]
