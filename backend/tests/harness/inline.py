"""The API on a thread of this process: variants of its settings without the seconds of another start."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog
import uvicorn

from harness.processes import free_port
from todo_backend.config import Settings
from todo_backend.main import create_app

_START_SECONDS = 60

# The lines of services are tested on processes of their own; here they would mix with the test's output.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@contextmanager
def inline_backend(variables: Mapping[str, str]) -> Iterator[str]:
    """Serve with the settings of `variables` until the end of the context; yields the URL."""
    settings = Settings.model_validate({name.lower(): value for name, value in variables.items()})
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), host="127.0.0.1", port=port, log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the API did not start")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
