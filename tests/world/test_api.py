"""The API client against a real HTTP server: pinning, watches that break, refusals in the server's own words."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runbook.cluster import Kubeconfig
from runbook.errors import Unmeasurable, WrongCluster
from runbook.settings import Settings
from runbook.waiting import NotYet, Subject, watching
from runbook.world.api import Api
from runbook.world.wire import Refused


class Server(ThreadingHTTPServer):
    """A few paths of an API server. `script` holds the lines of the watches to come, one list per connection."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.uid = "uid-1"
        self.items: list[dict[str, Any]] = []
        self.script: list[list[str]] = []
        self.refuse: tuple[int, str] | None = None
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        return

    def answer(self, code: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.server.asked.append(("GET", self.path))
        if parts.path == "/api/v1/namespaces/kube-system":
            self.answer(200, {"metadata": {"name": "kube-system", "uid": self.server.uid}})
        elif self.server.refuse:
            code, message = self.server.refuse
            self.answer(code, {"kind": "Status", "message": message})
        elif query.get("watch"):
            self.watch()
        elif parts.path.endswith("/configmaps"):
            self.answer(200, {"metadata": {"resourceVersion": "5"}, "items": self.server.items})
        elif parts.path == "/apis/dapr.io":
            self.answer(200, {"preferredVersion": {"groupVersion": "dapr.io/v1alpha1"}})
        elif parts.path == "/apis/dapr.io/v1alpha1":
            resources = [{"kind": "Component", "name": "components", "namespaced": True}]
            self.answer(200, {"resources": resources})
        elif parts.path.endswith("/components"):
            self.answer(200, {"metadata": {}, "items": [{"metadata": {"name": "statestore"}}]})
        else:
            self.answer(404, {"message": "not found"})

    def watch(self) -> None:
        self.send_response(200)
        self.end_headers()
        for line in self.server.script.pop(0) if self.server.script else []:
            self.wfile.write(line.encode() + b"\n")
            self.wfile.flush()

    def change(self) -> None:
        self.server.asked.append((self.command, self.path))
        length = int(self.headers.get("Content-Length") or 0)
        self.server.bodies.append(json.loads(self.rfile.read(length) or b"{}"))
        self.answer(
            404 if "absent" in self.path else 200, {"metadata": {"name": "x"}, "message": "not found"}
        )

    do_PATCH = change  # noqa: N815
    do_DELETE = change  # noqa: N815


class Pinned:
    provider = "existing"
    name = "todo"

    def __init__(self, kubeconfig: Kubeconfig) -> None:
        self._kubeconfig = kubeconfig

    def kubeconfig(self) -> Kubeconfig:
        return self._kubeconfig


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as serving:
        threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
        yield serving
        serving.shutdown()


def kubeconfig(path: Path, url: str, context: str = "here") -> Kubeconfig:
    path.write_text(
        json.dumps(
            {
                "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "users": [{"name": "u", "user": {"token": "token-of-the-test"}}],
            }
        )
    )
    return Kubeconfig(path, context)


@pytest.fixture
def api(server: Server, tmp_path: Path) -> Api:
    return Api(Settings(), Pinned(kubeconfig(tmp_path / "kubeconfig", server.url)))  # type: ignore[arg-type]


def config_map(name: str, version: str = "1") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "todo", "uid": f"uid-{name}", "resourceVersion": version}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def event(kind: str, thing: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "object": thing})


def test_what_is_not_there_is_none(api: Api) -> None:
    assert api.get("ConfigMap", "absent", "todo") is None


def test_selectors_are_handed_on(api: Api, server: Server) -> None:
    api.list("ConfigMap", "todo", labels="a=b", fields="metadata.name=x")
    assert "labelSelector=a%3Db" in server.asked[-1][1]
    assert "fieldSelector=metadata.name%3Dx" in server.asked[-1][1]


def test_unknown_kinds_are_discovered(api: Api) -> None:
    assert [each["metadata"]["name"] for each in api.list("Component.dapr.io", "todo")] == ["statestore"]
    with pytest.raises(Unmeasurable, match=r"serves no kind Component\.absent\.io"):
        api.list("Component.absent.io")


def test_a_refusal_carries_the_servers_words(api: Api, server: Server) -> None:
    server.refuse = (403, 'configmaps is forbidden: User "x" cannot list resource "configmaps"')
    with pytest.raises(Refused, match='403: configmaps is forbidden: User "x" cannot list'):
        api.list("ConfigMap", "todo")


@pytest.mark.parametrize("code", [500, 503, 429])
def test_a_server_error_is_no_verdict(api: Api, server: Server, code: int) -> None:
    server.refuse = (code, "etcdserver: request timed out")
    with pytest.raises(Unmeasurable, match="request timed out"):
        api.list("ConfigMap", "todo")


def test_an_api_that_is_away_cannot_be_measured(tmp_path: Path) -> None:
    nowhere = kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9")
    api = Api(Settings(), Pinned(nowhere))  # type: ignore[arg-type]
    with pytest.raises(Unmeasurable, match="does not answer"):
        api.list("Pod")


def test_without_a_kubeconfig_it_cannot_be_measured(tmp_path: Path) -> None:
    api = Api(Settings(), Pinned(Kubeconfig(tmp_path / "none", "here")))  # type: ignore[arg-type]
    with pytest.raises(Unmeasurable, match="there is no kubeconfig"):
        api.list("Pod")


def test_an_unknown_context_cannot_be_measured(server: Server, tmp_path: Path) -> None:
    other = Kubeconfig(kubeconfig(tmp_path / "kubeconfig", server.url).path, "elsewhere")
    api = Api(Settings(), Pinned(other))  # type: ignore[arg-type]
    with pytest.raises(Unmeasurable, match="has no context `elsewhere`"):
        api.list("Pod")


def test_apply_is_server_side_and_names_its_manager(api: Api, server: Server) -> None:
    api.apply(config_map("x"))
    method, path = server.asked[-1]
    assert method == "PATCH"
    assert path.startswith("/api/v1/namespaces/todo/configmaps/x?")
    assert "fieldManager=todo-runbook" in path
    assert server.bodies[-1]["metadata"]["name"] == "x"


def test_delete_says_whether_there_was_one_and_keeps_to_the_uid(api: Api, server: Server) -> None:
    assert api.delete("ConfigMap", "x", "todo", uid="uid-x") is True
    assert server.bodies[-1]["preconditions"] == {"uid": "uid-x"}
    assert api.delete("ConfigMap", "absent", "todo") is False


def test_the_first_cluster_written_to_is_pinned_and_no_other_is_written_to(
    api: Api, server: Server, tmp_path: Path
) -> None:
    api.apply(config_map("x"))
    server.uid = "uid-of-another-cluster"
    again = Api(Settings(), Pinned(Kubeconfig(tmp_path / "kubeconfig", "here")))  # type: ignore[arg-type]
    writes = len(server.bodies)
    for write in (
        lambda: again.apply(config_map("x")),
        lambda: again.delete("ConfigMap", "x", "todo"),
        again.guard,
    ):
        with pytest.raises(WrongCluster, match="nothing was written"):
            write()
    assert len(server.bodies) == writes


def test_another_context_of_the_same_file_is_another_cluster(
    api: Api, server: Server, tmp_path: Path
) -> None:
    api.guard()
    other = kubeconfig(tmp_path / "kubeconfig", server.url, context="there")
    with pytest.raises(WrongCluster, match="context there"):
        Api(Settings(), Pinned(other)).guard()  # type: ignore[arg-type]


def test_a_changed_kubeconfig_is_read_and_judged_again(api: Api, server: Server, tmp_path: Path) -> None:
    api.guard()
    server.uid = "uid-2"
    api.guard()  # the same connection is not asked twice
    time.sleep(0.01)
    kubeconfig(tmp_path / "kubeconfig", server.url)
    with pytest.raises(WrongCluster):
        api.guard()


def test_a_watch_tells_what_is_there_and_then_what_comes(api: Api, server: Server) -> None:
    server.items = [config_map("a")]
    server.script = [[event("ADDED", config_map("b", "6")), event("DELETED", config_map("a", "7"))]]
    changes = api.watch("ConfigMap", "todo", deadline=time.monotonic() + 5)
    seen = [
        (change.type, change.object.get("metadata", {}).get("name"))
        for _, change in zip(range(4), changes, strict=False)
    ]
    assert seen == [("ADDED", "a"), ("SYNCED", None), ("ADDED", "b"), ("DELETED", "a")]


def test_a_watch_goes_on_from_where_it_broke(api: Api, server: Server) -> None:
    server.script = [[event("ADDED", config_map("b", "6"))], [event("ADDED", config_map("c", "7"))]]
    changes = api.watch("ConfigMap", "todo", deadline=time.monotonic() + 5)
    names = [
        change.object.get("metadata", {}).get("name") for _, change in zip(range(3), changes, strict=False)
    ]
    assert names == [None, "b", "c"]
    watches = [path for _, path in server.asked if "watch=true" in path]
    assert "resourceVersion=5" in watches[0]
    assert "resourceVersion=6" in watches[1]


def test_an_expired_watch_lists_again_and_tells_what_vanished(api: Api, server: Server) -> None:
    gone = json.dumps({"type": "ERROR", "object": {"code": 410, "reason": "Expired"}})
    server.items = [config_map("a")]
    server.script = [[gone], []]
    changes = api.watch("ConfigMap", "todo", deadline=time.monotonic() + 5)
    first = [next(changes), next(changes)]
    server.items = [config_map("b")]
    second = [next(changes), next(changes), next(changes)]
    assert [change.type for change in first] == ["ADDED", "SYNCED"]
    assert [(change.type, change.object.get("metadata", {}).get("name")) for change in second] == [
        ("DELETED", "a"),
        ("ADDED", "b"),
        ("SYNCED", None),
    ]


def test_waiting_reacts_to_the_event(api: Api, server: Server) -> None:
    server.script = [[event("ADDED", config_map("wanted", "6"))]]
    subject = Subject("ConfigMap", "todo")

    def judge(sight: Any) -> str:
        names = [each["metadata"]["name"] for each in sight[subject]]
        if "wanted" not in names:
            raise NotYet(f"there is {names}")
        return "seen"

    assert watching(api, (subject,), judge, timeout=5, wanted="it") == "seen"
