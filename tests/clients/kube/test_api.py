"""The API client against a real HTTP server: pinning, watches that break, refusals in the server's own words."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runbook.clients.kube.api import Api
from runbook.clients.kube.reviews import Right
from runbook.clients.kube.transport import Refused
from runbook.clients.target import Kubeconfig
from runbook.engine.errors import Unmeasurable, WrongCluster
from runbook.engine.redaction import redact
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, Subject, watching


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
        self.credentials: list[str | None] = []
        self.impersonated: list[str | None] = []
        self.undiscoverable = False
        self.silent = threading.Lock()
        """While it is held, /silent says nothing."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        return

    def answer(self, code: int, body: dict[str, Any], **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.server.asked.append(("GET", self.path))
        self.server.credentials.append(self.headers.get("Authorization"))
        if parts.path == "/api/v1/namespaces/kube-system":
            self.answer(200, {"metadata": {"name": "kube-system", "uid": self.server.uid}})
        elif self.server.refuse:
            code, message = self.server.refuse
            self.answer(code, {"kind": "Status", "message": message})
        elif query.get("watch"):
            self.watch()
        elif parts.path.endswith("/configmaps"):
            self.answer(200, {"metadata": {"resourceVersion": "5"}, "items": self.server.items})
        elif parts.path == "/silent":
            with self.server.silent, suppress(OSError):
                self.answer(200, {})
        elif parts.path.startswith("/raw/"):
            self.answer(int(parts.path.rpartition("/")[2]), {"message": "as asked"}, Location="/elsewhere")
        elif parts.path.endswith("/log"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"first\nsecond\n")
        elif parts.path == "/version":
            self.answer(200, {"gitVersion": "v1.35.4"})
        elif parts.path == "/apis" and self.server.undiscoverable:
            self.answer(503, {"message": "starting"})
        elif parts.path == "/apis":
            versions = [
                {"groupVersion": f"dapr.io/{each}", "version": each} for each in ("v2alpha1", "v1alpha1")
            ]
            group = {"name": "dapr.io", "versions": versions, "preferredVersion": versions[0]}
            self.answer(200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]})
        elif parts.path == "/apis/dapr.io/v1alpha1":
            resources = [
                {"kind": "Component", "name": "components", "namespaced": True},
                {"kind": "Subscription", "name": "subscriptions", "namespaced": True},
            ]
            self.answer(200, {"kind": "APIResourceList", "apiVersion": "v1", "resources": resources})
        elif parts.path == "/apis/dapr.io/v2alpha1":
            resources = [{"kind": "Subscription", "name": "subscriptions", "namespaced": True}]
            self.answer(200, {"kind": "APIResourceList", "apiVersion": "v1", "resources": resources})
        elif parts.path.endswith("/v2alpha1/subscriptions"):
            self.answer(200, {"metadata": {}, "items": [{"metadata": {"name": "newest"}}]})
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
        self.server.impersonated.append(self.headers.get("Impersonate-User"))
        length = int(self.headers.get("Content-Length") or 0)
        self.server.bodies.append(json.loads(self.rfile.read(length) or b"{}"))
        self.answer(
            404 if "absent" in self.path else 200,
            {"metadata": {"name": "x"}, "message": "not found", "status": {}},
            Warning='299 - "would violate"',
        )

    do_PATCH = change  # noqa: N815
    do_POST = change  # noqa: N815
    do_PUT = change  # noqa: N815
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


def test_a_kind_is_asked_in_the_preferred_version_where_that_has_it(api: Api) -> None:
    assert [each["metadata"]["name"] for each in api.list("Subscription.dapr.io")] == ["newest"]


def test_kinds_that_cannot_be_asked_for_are_not_absent(api: Api, server: Server) -> None:
    server.undiscoverable = True
    with pytest.raises(Unmeasurable, match="does not tell which kinds it serves: 503"):
        api.list("Resiliency.dapr.io", "todo")


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
    with pytest.raises(Unmeasurable, match=r"context elsewhere of the kubeconfig .* cannot be used"):
        api.list("Pod")


def test_a_context_without_a_server_cannot_be_measured(tmp_path: Path) -> None:
    api = Api(Settings(), Pinned(kubeconfig(tmp_path / "kubeconfig", "")))  # type: ignore[arg-type]
    with pytest.raises(Unmeasurable, match="names no server"):
        api.list("Pod")


def credential(path: Path, url: str, *command: str) -> Kubeconfig:
    """A kubeconfig whose user is known by what a command says."""
    found = kubeconfig(path, url)
    document = json.loads(path.read_text())
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": command[0],
        "args": [*command[1:]],
        "interactiveMode": "Never",
    }
    document["users"] = [{"name": "u", "user": {"exec": plugin}}]
    path.write_text(json.dumps(document))
    return found


def test_a_credential_plugin_is_asked(server: Server, tmp_path: Path) -> None:
    told = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "token-of-the-plugin"},
    }
    known = credential(tmp_path / "kubeconfig", server.url, "echo", json.dumps(told))
    assert Api(Settings(), Pinned(known)).version() == "v1.35.4"  # type: ignore[arg-type]
    assert server.credentials[-1] == "Bearer token-of-the-plugin"
    assert redact("it is token-of-the-plugin") == "it is ***"


def test_a_failed_credential_plugin_says_why_and_prints_nothing(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    known = credential(tmp_path / "kubeconfig", server.url, "sh", "-c", "echo not logged in >&2; exit 1")
    with pytest.raises(Unmeasurable, match="not logged in"):
        Api(Settings(), Pinned(known)).list("Pod")  # type: ignore[arg-type]
    assert capfd.readouterr().err == ""


def test_the_proxy_of_the_environment_is_not_for_the_cluster(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    near = Api(Settings(), Pinned(kubeconfig(tmp_path / "kubeconfig", server.url)))  # type: ignore[arg-type]
    assert near.version() == "v1.35.4"


def test_a_silent_server_is_not_waited_for_beyond_the_deadline(api: Api, server: Server) -> None:
    with server.silent, pytest.raises(Unmeasurable, match="timed out"):
        api.raw("/silent", timeout=0.1)


@pytest.mark.parametrize("status", [302, 404, 503])
def test_a_raw_answer_is_the_callers_to_judge(api: Api, status: int) -> None:
    assert api.raw(f"/raw/{status}").status_code == status


def test_the_log_of_a_container_is_text(api: Api, server: Server) -> None:
    assert api.logs("p", "c", "todo", since=0.2, tail=3, previous=True) == "first\nsecond\n"
    assert server.asked[-1][1].endswith("log?container=c&sinceSeconds=1&tailLines=3&previous=true")


def test_apply_is_server_side_and_names_its_manager(api: Api, server: Server) -> None:
    api.apply(config_map("x"))
    method, path = server.asked[-1]
    assert method == "PATCH"
    assert path.startswith("/api/v1/namespaces/todo/configmaps/x?")
    assert "fieldManager=todo-runbook" in path
    assert server.bodies[-1]["metadata"]["name"] == "x"


def test_a_new_object_a_whole_one_and_operations_on_one_are_written(api: Api, server: Server) -> None:
    api.create(config_map("x"))
    assert server.asked[-1] == ("POST", "/api/v1/namespaces/todo/configmaps?fieldManager=todo-runbook")
    api.replace(config_map("x"))
    assert server.asked[-1] == ("PUT", "/api/v1/namespaces/todo/configmaps/x")
    operations = [{"op": "remove", "path": "/data/key"}]
    api.patch("ConfigMap", "x", "todo", operations)
    assert server.asked[-1] == ("PATCH", "/api/v1/namespaces/todo/configmaps/x")
    assert server.bodies[-1] == operations
    api.delete("ConfigMap", "x", "todo", grace=0)
    assert server.bodies[-1]["gracePeriodSeconds"] == 0


def test_reviews_write_nothing_and_are_not_guarded(api: Api, server: Server) -> None:
    assert api.reviews.rights("system:serviceaccount:todo:backend-sa", "todo") == set()
    assert server.impersonated[-1] == "system:serviceaccount:todo:backend-sa"
    assert not api.reviews.allowed(Right("list", "", "secrets"), "todo")
    assert server.impersonated[-1] is None
    assert api.reviews.admission(config_map("x")).warnings == ("would violate",)
    assert server.asked[-1] == ("POST", "/api/v1/namespaces/todo/configmaps?dryRun=All")
    assert ("GET", "/api/v1/namespaces/kube-system") not in server.asked


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
        lambda: again.create(config_map("x")),
        lambda: again.replace(config_map("x")),
        lambda: again.patch("ConfigMap", "x", "todo", []),
        lambda: again.delete("ConfigMap", "x", "todo"),
        again.guard,
    ):
        with pytest.raises(WrongCluster, match="nothing was written"):
            write()
    assert len(server.bodies) == writes


def test_who_removes_something_pins_nothing(api: Api, server: Server, tmp_path: Path) -> None:
    with pytest.raises(WrongCluster, match="no cluster is pinned"):
        api.guard(pinned=True)
    with pytest.raises(WrongCluster, match="no cluster is pinned"):
        api.guard(pinned=True)
    assert not list(tmp_path.rglob("pinned.json"))
    api.guard()
    api.guard(pinned=True)


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
