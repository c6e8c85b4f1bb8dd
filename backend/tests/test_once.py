"""What the network repeats is done once: creating, toggling and deleting with a key."""

from uuid import uuid4

from people import Person

from todo_backend.chat.tools import identity_token


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def test_a_task_is_created_once(alice: Person, bob: Person) -> None:
    same = key()
    made = [alice.http.post("tasks", json={"title": "once"}, headers=same) for _ in range(3)]
    assert [answer.status_code for answer in made] == [201] * 3
    assert made[0].json() == made[1].json() == made[2].json()
    assert alice.http.get("tasks").json()["total"] == 1
    assert bob.http.post("tasks", json={"title": "theirs"}, headers=same).json()["title"] == "theirs"
    for headers in (key(), {}, {}):
        alice.http.post("tasks", json={"title": "again"}, headers=headers)
    assert alice.http.get("tasks").json()["total"] == 4


def test_a_task_is_toggled_and_deleted_once(alice: Person) -> None:
    task = f"tasks/{alice.http.post('tasks', json={'title': 'toggled'}).json()['id']}"
    same = key()
    assert [alice.http.patch(f"{task}/complete", headers=same).json()["is_completed"] for _ in range(3)] == [
        True
    ] * 3
    assert alice.http.patch(f"{task}/complete", headers=key()).json()["is_completed"] is False
    assert alice.http.patch(f"{task}/complete").json()["is_completed"] is True
    gone = key()
    assert [alice.http.delete(task, headers=gone).status_code for _ in range(2)] == [200, 200]
    assert alice.http.delete(task, headers=key()).status_code == 404


def test_what_was_not_made_may_be_tried_again(alice: Person) -> None:
    same, absent = key(), f"tasks/{uuid4()}"
    assert [alice.http.patch(f"{absent}/complete", headers=same).status_code for _ in range(2)] == [404, 404]
    assert [alice.http.delete(absent, headers=same).status_code for _ in range(2)] == [404, 404]


def test_each_message_to_the_tools_is_one_of_its_own() -> None:
    assert identity_token("a", "UTC", "k" * 32, now=1) != identity_token("a", "UTC", "k" * 32, now=1)
