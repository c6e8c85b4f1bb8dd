"""A stand-in for the state API of a Dapr sidecar in front of Redis, as its source defines it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

STORE = "statestore"


class Sidecar:
    """What the store holds, and whether it answers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.entries: dict[str, tuple[int, Any, float]] = {}
        """Version, value and end of life by key."""
        self.broken = False
        self.requests: list[tuple[str, Any]] = []


@contextmanager
def sidecar() -> Iterator[Sidecar]:
    """Serve the state API on a free port."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self, status: int, body: Any = None) -> None:
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _key(self) -> str:
            return unquote(self.path.removeprefix(f"/v1.0/state/{STORE}").lstrip("/"))

        def _alive(self, key: str) -> tuple[int, Any, float] | None:
            entry = state.entries.get(key)
            return entry if entry and entry[2] > time.monotonic() else None

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                state.requests.append(("POST", body))
                if state.broken or not self.path.startswith(f"/v1.0/state/{STORE}"):
                    return self._answer(500, {"errorCode": "ERR_STATE_SAVE"})
                for entry in body:
                    found = self._alive(entry["key"])
                    assert entry["options"] == {"concurrency": "first-write"}
                    if found and str(found[0]) != entry["etag"]:
                        return self._answer(409, {"errorCode": "ERR_STATE_SAVE"})
                    ends = time.monotonic() + int(entry["metadata"]["ttlInSeconds"])
                    state.entries[entry["key"]] = ((found[0] if found else 0) + 1, entry["value"], ends)
                return self._answer(204)

        def do_GET(self) -> None:
            with lock:
                if state.broken:
                    return self._answer(500, {"errorCode": "ERR_STATE_GET"})
                found = self._alive(self._key())
                return self._answer(200, found[1]) if found else self._answer(204)

        def do_DELETE(self) -> None:
            with lock:
                if state.broken:
                    return self._answer(500, {"errorCode": "ERR_STATE_DELETE"})
                state.entries.pop(self._key(), None)
                return self._answer(204)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    api = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Sidecar(api.server_port)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        api.shutdown()
        api.server_close()
