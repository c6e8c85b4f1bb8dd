"""Refusals are logged once each, with the request's id and without who or where."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from harness.model import ScriptedModel, text
from harness.postgres import Database
from harness.processes import BACKEND, Service, executable, service
from people import Person, backend_variables


@pytest.fixture(scope="module")
def guarded(
    database: Database,
    mcp_server: Service,
    scripted: ScriptedModel,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    variables = backend_variables(database, mcp_server.url, scripted.url)
    variables |= {"API_REQUESTS_PER_MINUTE": "6", "CHAT_REQUESTS_PER_MINUTE": "2"}
    log = tmp_path_factory.mktemp("guarded") / "log"
    with service([executable(BACKEND, "todo-backend")], variables, log) as running:
        yield running


def test_each_refusal_is_one_line(guarded: Service, database: Database, model: ScriptedModel) -> None:
    person = Person(database, guarded.url)
    model.script = lambda _: text("OFF_TOPIC")
    wanted = {}

    def refused(event: str, status: int, method: str, path: str, **more: object) -> None:
        request = uuid4().hex
        headers = {"X-Request-ID": request, **more.pop("headers", {})}  # type: ignore[dict-item]
        answer = person.http.request(method, path, headers=headers, **more)  # type: ignore[arg-type]
        assert answer.status_code == status
        wanted[request] = (event, status)

    refused("unauthenticated", 401, "GET", "tasks", headers={"Cookie": "better-auth.session_token=a.b"})
    refused("forbidden", 403, "GET", f"{guarded.url}/api/somebody/tasks")
    refused("body_refused", 413, "POST", "tasks", json={"title": "x" * 70_000})
    refused("off_topic", 403, "POST", "chat", json={"message": "what is the weather"})
    refused("off_topic", 403, "POST", "chat", json={"message": "what is the weather"})
    refused("rate_limited", 429, "POST", "chat", json={"message": "what is the weather"})
    for _ in range(10):
        if person.http.get("tasks").status_code == 429:
            break
    refused("rate_limited", 429, "GET", "tasks")
    lines = [line for line in guarded.lines() if line.get("security")]
    for request, (event, status) in wanted.items():
        [line] = [line for line in lines if line["request_id"] == request]
        assert (line["event"], line["status"]) == (event, status)
        assert person.id not in str(line)
        assert "weather" not in str(line)
