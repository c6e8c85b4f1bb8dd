"""The agent with the project's offline model, the one that clusters without a key use."""

from collections.abc import Iterator

import pytest
from harness.postgres import Database
from harness.processes import BACKEND, ROOT, Service, executable, service
from people import Person, backend_variables

OFFLINE_MODEL = ROOT / "stand-ins" / "offline-model"


@pytest.fixture(scope="module")
def offline_backend(
    database: Database, mcp_server: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    logs = tmp_path_factory.mktemp("offline")
    with service([executable(OFFLINE_MODEL, "offline-model")], {}, logs / "model.log") as model:
        variables = backend_variables(database, mcp_server.url, f"{model.url}/v1")
        variables |= {"OPENAI_MODEL": "offline-model"}
        with service([executable(BACKEND, "todo-backend")], variables, logs / "backend.log") as running:
            yield running


def test_plain_words_become_tasks(offline_backend: Service, database: Database) -> None:
    person = Person(database, offline_backend.url)

    def chat(message: str) -> list[str]:
        answer = person.http.post("chat", json={"message": message})
        assert answer.status_code == 200, answer.text
        return [call["tool"] for call in answer.json()["tool_calls"]]

    assert "add_task" in chat('add "buy milk" high priority')
    [row] = database.rows("SELECT title, priority, is_completed FROM task WHERE user_id = $1", person.id)
    assert row == {"title": "buy milk", "priority": "high", "is_completed": False}
    assert chat("show my pending tasks") == ["list_tasks"]
    assert "complete_task" in chat("complete buy milk")
    assert database.rows("SELECT is_completed FROM task WHERE user_id = $1", person.id)[0]["is_completed"]
    assert "delete_task" in chat("delete buy milk")
    assert database.rows("SELECT id FROM task WHERE user_id = $1", person.id) == []
