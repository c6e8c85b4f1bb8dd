"""The server with the official client of another language: the protocol, not what one SDK does."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from callers import Caller, token
from harness.processes import COMMAND_SECONDS, Service

PROJECT = Path(__file__).parent / "npm"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client with its locked packages, in a folder that goes."""
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(PROJECT / name, folder)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(["npm", "ci", *quiet], cwd=folder, check=True, timeout=COMMAND_SECONDS)
    return folder / "client.mjs"


def used(client: Path, url: str, bearer: str, *calls: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", str(client)],
        input=json.dumps({"url": url, "token": bearer, "calls": calls}),
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def test_every_tool_works_with_the_npm_client(alice: Caller, running: Service, client: Path) -> None:
    calls: list[dict[str, Any]] = [
        {"name": "add_task", "arguments": {"title": "from npm", "due_date": "2030-01-31"}},
        {"name": "get_task", "arguments": {"task_id": "$id"}},
        {"name": "search_tasks", "arguments": {"query": "NPM"}},
        {"name": "update_task", "arguments": {"task_id": "$id", "priority": "high"}},
        {"name": "complete_task", "arguments": {"task_id": "$id"}},
        {"name": "list_tasks", "arguments": {"status": "completed"}},
        {"name": "delete_task", "arguments": {"task_id": "$id"}},
        {"name": "get_task", "arguments": {"task_id": "$id"}},
        {"name": "add_task", "arguments": {"title": ""}},
    ]
    done = used(client, alice.url, token(alice.id), *calls)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["server"]["name"] == "todo-mcp-server"
    assert set(told["tools"]) == {call["name"] for call in calls}
    *successes, absent, refused = told["results"]
    assert [result["failed"] for result in successes] == [False] * 7
    assert all(result["content"]["success"] for result in successes)
    assert successes[5]["content"]["total"] == 1
    assert absent["failed"]
    assert "could not read the task: no task with this id" in absent["content"][0]["text"]
    assert refused["failed"]
    assert "title" in refused["content"][0]["text"]
    lines = [line for line in running.lines() if line.get("request_id") == "from-npm"]
    assert [line["tool"] for line in lines] == [call["name"] for call in calls]


def test_the_npm_client_is_refused_without_the_backends_signature(alice: Caller, client: Path) -> None:
    done = used(client, alice.url, token(alice.id, key="x" * 64))
    assert done.returncode != 0
    assert "401" in done.stderr or "Unauthorized" in done.stderr
