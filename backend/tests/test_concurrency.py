"""Several people at once never mix, though every turn passes the same processes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from harness.model import ScriptedModel, last, text, tool
from harness.postgres import Database
from harness.processes import Service
from people import Person


def _echo(body: dict[str, Any]) -> dict[str, Any]:
    """Add a task titled as the person's message, then finish."""
    newest = last(body)
    return tool("add_task", title=newest["content"]) if newest["role"] == "user" else text("Done.")


def test_many_chats_at_once_keep_to_their_users(
    database: Database, backend: Service, model: ScriptedModel
) -> None:
    people = [Person(database, backend.url) for _ in range(8)]
    model.script = _echo

    def chat_twice(person: Person) -> list[int]:
        messages = [f"{person.id} {count}" for count in range(2)]
        return [person.http.post("chat", json={"message": said}).status_code for said in messages]

    with ThreadPoolExecutor(len(people)) as pool:
        assert list(pool.map(chat_twice, people)) == [[200, 200]] * len(people)
    for person in people:
        titles = database.rows("SELECT title FROM task WHERE user_id = $1 ORDER BY title", person.id)
        assert [row["title"] for row in titles] == [f"{person.id} 0", f"{person.id} 1"]
        person.http.close()
