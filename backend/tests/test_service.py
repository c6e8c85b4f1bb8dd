"""The process: health, readiness, request ids, errors, logs, and its end."""

import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx2
from harness.model import ScriptedModel, text, tool
from harness.postgres import PASSWORD, Database, create_database
from harness.processes import BACKEND, Service, executable, free_port, service
from people import API_KEY, AUTH_SECRET, SIGNING_KEY, Person, backend_variables, signed_cookie
from starlette.datastructures import Headers

from todo_backend.request_context import RequestContext

HTTP = httpx2.Client(timeout=120, limits=httpx2.Limits(max_keepalive_connections=0))


def test_health_and_readiness(backend: Service) -> None:
    assert HTTP.get(f"{backend.url}/health").json() == {"status": "healthy"}
    ready = HTTP.get(f"{backend.url}/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert HTTP.get(backend.url).json() == {"message": "Todo AI Chatbot API", "version": "1.0.0"}


def test_request_ids_are_taken_over_or_made(backend: Service) -> None:
    url = f"{backend.url}/health"
    assert HTTP.get(url, headers={"X-Request-ID": "abc-123"}).headers["X-Request-ID"] == "abc-123"
    for unfit in ("", "two words", "x" * 129, "<script>"):
        made = HTTP.get(url, headers={"X-Request-ID": unfit}).headers["X-Request-ID"]
        assert made != unfit
        assert len(made) == 32


def test_a_trace_goes_on_or_begins_here(
    alice: Person, model: ScriptedModel, backend: Service, mcp_server: Service
) -> None:
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    given = {"traceparent": f"00-{trace}-{parent}-01", "X-Request-ID": f"trace-{uuid4().hex}"}
    model.steps(tool("list_tasks"), text("None."))
    assert alice.http.post("chat", json={"message": "show all"}, headers=given).status_code == 200
    for running in (backend, mcp_server):
        lines = [line for line in running.lines() if line.get("request_id") == given["X-Request-ID"]]
        assert {line["trace_id"] for line in lines} == {trace}
    for unfit in ("", "nonsense", f"00-{'0' * 32}-{parent}-01", f"00-{trace}-{'0' * 16}-01"):
        made = RequestContext.of(Headers({"traceparent": unfit}))
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made.headers()["traceparent"])
        assert made.trace_id not in (trace, "0" * 32)


def test_only_the_frontend_may_ask_from_a_page(backend: Service) -> None:
    preflight = {"Access-Control-Request-Method": "PUT"}
    for origin, allowed in (("http://todo.local", "http://todo.local"), ("http://evil.example", None)):
        answer = HTTP.options(f"{backend.url}/api/x/tasks", headers={"Origin": origin, **preflight})
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


def test_logs_are_json_without_secrets_or_what_people_wrote(
    alice: Person, model: ScriptedModel, backend: Service, mcp_server: Service
) -> None:
    private = f"private-{uuid4().hex}"
    model.steps(tool("add_task", title=private), tool("complete_task", task_id=private), text(private))
    assert alice.http.post("chat", json={"message": private}).status_code == 200
    model.script = lambda _: 401
    assert alice.http.post("chat", json={"message": private}).status_code == 502
    assert alice.http.post("tasks", json={"title": private, "priority": private}).status_code == 422
    assert alice.http.get(f"tasks?q={private}").status_code == 200

    for running in (backend, mcp_server):
        assert running.lines()
        log = running.log.read_text()
        for secret in (
            private,
            alice.token,
            alice.cookie,
            AUTH_SECRET,
            SIGNING_KEY,
            API_KEY,
            PASSWORD,
            "eyJ",
        ):
            assert secret not in log


def test_without_a_database_requests_fail_soon_and_kindly(
    database: Database, scripted: ScriptedModel, mcp_server: Service, tmp_path: Path
) -> None:
    gone = replace(database, port=free_port())
    variables = backend_variables(gone, mcp_server.url, scripted.url) | {"DATABASE_CONNECT_ATTEMPTS": "2"}
    with service([executable(BACKEND, "todo-backend")], variables, tmp_path / "backend.log") as running:
        person = Person(database, running.url)
        answer = person.http.get("tasks")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "database" in answer.json()["detail"]
        assert HTTP.get(f"{running.url}/health").status_code == 200
        ready = HTTP.get(f"{running.url}/ready")
        assert ready.json()["checks"] == {"database": "failed", "mcp_server": "ok"}
        causes = {line["error"] for line in running.lines() if line["event"] == "database_unavailable"}
        assert causes == {"DatabaseUnavailableError < ConnectionRefusedError"}
        assert PASSWORD not in running.log.read_text()


def test_an_unforeseen_error_is_told_without_its_words(
    postgres: Database, scripted: ScriptedModel, mcp_server: Service, tmp_path: Path
) -> None:
    empty = create_database(postgres, "without_tables")
    variables = backend_variables(empty, mcp_server.url, scripted.url)
    with service([executable(BACKEND, "todo-backend")], variables, tmp_path / "backend.log") as running:
        cookie = f"better-auth.session_token={signed_cookie('any')}"
        answer = HTTP.get(f"{running.url}/api/x/tasks", headers={"Cookie": cookie})
        assert (answer.status_code, answer.json()) == (500, {"detail": "Something went wrong on our side."})
        [line] = [line for line in running.lines() if line["event"] == "unforeseen_error"]
        assert line["error"].endswith("UndefinedTableError")
        assert line["request_id"] == answer.headers["X-Request-ID"]
        assert "SELECT" not in running.log.read_text()


def test_a_lost_database_connection_is_replaced(alice: Person, database: Database) -> None:
    assert alice.http.get("tasks").status_code == 200
    database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'todo_backend'")
    assert alice.http.get("tasks").status_code == 200


def test_a_stop_signal_under_load_loses_no_request(
    database: Database, scripted: ScriptedModel, mcp_server: Service, tmp_path: Path
) -> None:
    variables = backend_variables(database, mcp_server.url, scripted.url)
    with service([executable(BACKEND, "todo-backend")], variables, tmp_path / "backend.log") as running:
        people = [Person(database, running.url) for _ in range(8)]
        everyone = threading.Barrier(len(people) + 1)
        stopped = threading.Event()

        def wait(_: object) -> dict[str, object]:
            everyone.wait(60)
            assert stopped.wait(60)
            return text("Finished.")

        def stop() -> None:
            everyone.wait(60)  # all requests are under way
            running.process.send_signal(signal.SIGTERM)
            _await_refusal(running.url)
            stopped.set()

        def ask(number: int) -> tuple[int, bool]:
            headers = {"Accept": "text/event-stream"} if number % 2 else {}
            answer = people[number].http.post("chat", json={"message": "hello"}, headers=headers)
            return answer.status_code, "Finished." in answer.text

        scripted.script = wait
        with ThreadPoolExecutor(len(people) + 1) as pool:
            stopping = pool.submit(stop)
            answers = list(pool.map(ask, range(len(people))))
            stopping.result()
        assert answers == [(200, True)] * len(people)
        assert running.process.wait(60) in (0, -signal.SIGTERM)


def _await_refusal(url: str) -> None:
    """Wait until the port takes no new connection: the stop has begun."""
    address = (httpx2.URL(url).host, httpx2.URL(url).port or 0)
    for _ in range(200):
        try:
            socket.create_connection(address, timeout=1).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    raise AssertionError("the port still takes connections")
