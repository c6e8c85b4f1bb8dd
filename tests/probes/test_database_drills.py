"""The drills of the database, against an application in a few lines: what they ask, count, compare and write down."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable
from runbook.engine.settings import Settings
from runbook.probes import changes, person, replaced, rows, users
from runbook.probes.load import Pace
from runbook.probes.person import Person
from runbook.world import World
from tests.fakes import running
from tests.fakes.worlds import FakeApi, http_of, world_of


class Database:
    """Rows by a part of the statement; connections are itself."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Any]] = {}
        self.statements: list[str] = []
        self.away = False

    def query(self, statement: str, *_: Any, **__: Any) -> list[Any]:
        return next((found for part, found in self.rows.items() if part in statement), [])

    @contextmanager
    def connect(self, **_: Any) -> Iterator[Database]:
        if self.away:
            raise Unmeasurable("PostgreSQL is away")
        yield self

    def execute(self, statement: str, *_: Any) -> Database:
        self.statements.append(statement)
        return self

    def fetchall(self) -> list[Any]:
        return self.query(self.statements[-1])

    def commit(self) -> None:
        return None


class Application:
    """Signs everyone up and answers; `chat` and `tasks` may be changed by a test."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked: list[httpx.Request] = []
        self.chat: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200, json={})
        self.tasks: Callable[[httpx.Request], httpx.Response] = lambda request: httpx.Response(
            201 if request.method == "POST" else 200, json={"tasks": []}
        )

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            self.asked.append(request)
        path = request.url.path
        if path in (person.SIGN_UP, person.SIGN_IN):
            return httpx.Response(200, json={"user": {"id": "u1"}})
        if path.endswith("/chat"):
            return self.chat(request)
        if path.endswith("/conversations"):
            return httpx.Response(200, json={"conversations": [], "total": 1})
        return self.tasks(request)


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> Application:
    made = Application()
    monkeypatch.setattr(httpx, "Client", functools.partial(httpx.Client, transport=httpx.MockTransport(made)))
    return made


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def world(settings: Settings, database: Database) -> World:
    return world_of(settings, api=FakeApi(*running.everything()), database=database, http=http_of(settings))


def test_changes_are_said_in_one_conversation_and_read_after_each(
    world: World, application: Application, database: Database
) -> None:
    said: list[dict[str, Any]] = []

    def chat(request: httpx.Request) -> httpx.Response:
        said.append(json.loads(request.content))
        tool = changes.MESSAGES[len(said) - 1][0]
        result = {"success": True} | ({"id": "t1"} if tool == "delete_task" else {"task": {"id": "t1"}})
        calls = [{"tool": "list_tasks", "result": {"success": True}}, {"tool": tool, "result": result}]
        body = {"conversation_id": "c1", "response": "Done.", "tool_calls": calls}
        return httpx.Response(200, json=body, headers={"X-Request-ID": f"r{len(said)}"})

    application.chat = chat
    database.rows = {"FROM task WHERE title": [{"id": "t1"}], "count(*)": [{"kept": 6}]}
    seen = changes.hold(world, "this one")
    assert [turn["request_id"] for turn in seen["turns"]] == ["r1", "r2", "r3"]
    assert [turn["tools"][1] for turn in seen["turns"]] == [
        {"tool": tool, "task": "t1"} for tool, _ in changes.MESSAGES
    ]
    assert ["conversation_id" in each for each in said] == [False, True, True]
    assert seen["kept"] == 6
    written = json.loads((world.settings.state / "evidence" / "changes.json").read_text())
    assert written == seen
    assert written["identity"] == "this one"


def test_an_answer_that_is_no_json_and_a_tool_that_failed_are_seen(
    world: World, application: Application, database: Database
) -> None:
    database.rows = {"count(*)": [{"kept": 0}]}
    application.chat = lambda _: httpx.Response(502, text="<html>")
    assert [turn["status"] for turn in changes.hold(world, "x")["turns"]] == [502] * 3
    failed = {"tool_calls": [{"tool": "add_task", "result": {"error": "no", "id": "t1"}}]}
    application.chat = lambda _: httpx.Response(200, json=failed)
    assert changes.hold(world, "x")["turns"][0]["tools"] == [{"tool": "add_task", "task": ""}]


def test_a_drill_that_breaks_off_leaves_its_proof_and_nobody(
    world: World, application: Application, database: Database
) -> None:
    def gone(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    application.chat = gone
    with pytest.raises(Unmeasurable, match="the chat does not answer"):
        changes.hold(world, "x")
    assert database.statements
    assert json.loads((world.settings.state / "evidence" / "changes.json").read_text())["turns"] == []


def replacing(world: World, name: str = "backend-2") -> None:
    """Another pod comes when one is deleted."""
    api = world.api
    assert isinstance(api, FakeApi)

    def come(_: str, deleted: str) -> None:
        new = running.pod(running.COMPONENTS[1], "10.1.0.9")
        new["metadata"] |= {"name": name, "uid": f"uid-{name}"}
        api.put(new)

    api.on_delete = come


def test_pods_are_replaced_and_the_new_one_is_asked(
    world: World, application: Application, database: Database
) -> None:
    replacing(world)
    api = world.api
    assert isinstance(api, FakeApi)
    database.rows["md5"] = [{"name": "task 1", "state": "700 abc"}]

    def tasks(request: httpx.Request) -> httpx.Response:
        asked = request.headers.get("x-request-id", "")
        api.logged["backend-2"] = f'{{"event": "request", "request_id": "{asked}"}}\n'
        status = 201 if request.method == "POST" else 200
        return httpx.Response(status, json={"tasks": [{"title": "keep"}]}, headers={"X-Request-ID": asked})

    application.tasks = tasks
    seen = replaced.hold(world, "x")
    assert (seen["old"], seen["new"], seen["served_by"]) == (["backend-1"], ["backend-2"], "backend-2")
    assert seen["before"] == seen["after"] == {"task 1": "700 abc"}
    assert (seen["titles"], seen["conversations"]) == (["keep"], 1)
    assert 0 <= seen["ready_seconds"] <= seen["gone_seconds"]
    assert ("delete", "Pod", "backend-1") in api.written


def test_an_answer_of_nobody_new_is_no_answer(
    world: World, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    replacing(world)
    monkeypatch.setattr(replaced, "LOGGED", 0.1)
    with pytest.raises(TimedOut, match="is in no log of a new pod"):
        replaced.hold(world, "x")
    monkeypatch.setattr(replaced, "ANSWERED", 0.1)
    application.tasks = lambda r: httpx.Response(201 if r.method == "POST" else 503)
    replacing(world, "backend-3")
    with pytest.raises(TimedOut, match="answered 503"):
        replaced.hold(world, "x")


def test_nothing_is_deleted_before_something_is_stored(world: World, application: Application) -> None:
    application.chat = lambda _: httpx.Response(503)
    with pytest.raises(RunbookError, match="the message was answered 503"):
        replaced.hold(world, "x")
    api = world.api
    assert isinstance(api, FakeApi)
    assert api.written == []


def test_what_cannot_be_stored_cannot_be_lost(world: World, application: Application) -> None:
    def late(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late")

    for tasks, words in ((lambda _: httpx.Response(503), "503"), (late, "ReadTimeout")):
        application.tasks = tasks
        with Person(world) as somebody, pytest.raises(Unmeasurable, match=words):
            rows.store(somebody, "keep")


def test_lost_and_rewritten_rows_are_told() -> None:
    before = {"task 1": "1 a", "task 2": "2 b"}
    assert rows.differences(before, {**before, "task 3": "3 c"}) == []
    assert rows.differences(before, {"task 2": "9 b"}) == ["task 1 is lost", "task 2 was written again"]


def test_a_crowd_is_counted_with_its_errors_and_sessions(
    world: World, application: Application, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "REQUESTS", 24)
    monkeypatch.setattr(users, "LOOK_EVERY", 0.001)
    database.rows["pg_stat_activity"] = [{"role": "todo_backend", "sessions": 7}]
    application.tasks = lambda r: httpx.Response(503 if r.method == "POST" else 200)
    seen, sessions = users.crowd(world, ["todo_backend"])
    assert (seen.answered, dict(seen.errors)) == (20, {"create: 503 of the ingress": 4})
    assert sessions.most == {"todo_backend": 7}
    assert sessions.looks >= 1
    assert seen.made == 24


def test_a_crowd_ends_in_time(
    world: World, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "REQUESTS", 5)
    monkeypatch.setattr(users, "LONGEST", -1.0)
    assert dict(users.crowd(world, [])[0].errors) == {
        "create: no answer in time": 1,
        "list: no answer in time": 4,
    }


def test_whoever_is_told_to_come_later_does(
    world: World, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "REQUESTS", 6)
    answers = iter([httpx.Response(503, headers={"Retry-After": "0"})] * 2)
    application.tasks = lambda _: next(answers, httpx.Response(200))
    seen, _ = users.crowd(world, [])
    assert (seen.answered, len(seen.retries), dict(seen.errors)) == (6, 2, {})


def test_traffic_goes_on_until_its_end_and_says_whose_word_a_failure_is(
    world: World, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "WORKING", Pace(pause=0.001))
    answers = iter(
        [httpx.Response(502, json={"detail": "not reached"}), httpx.Response(502, text="bad gateway")]
    )
    enough = threading.Event()

    def tasks(_: httpx.Request) -> httpx.Response:
        try:
            return next(answers)
        except StopIteration:
            enough.set()
            raise httpx.ReadTimeout("late") from None

    application.tasks = tasks
    with Person(world) as somebody, users.working(somebody) as seen:
        assert enough.wait(5)
    assert seen.errors["create: 502 (not reached)"] == seen.errors["list: 502 of the ingress"] == 1
    assert seen.errors["list: ReadTimeout late"] >= 1
    assert seen.made == seen.errors.total()
