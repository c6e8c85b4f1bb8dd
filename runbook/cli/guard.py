"""No traceback for users: whatever ends a command ends it with one line and an exit code.

Light on purpose: tasks.py imports it before anything is known to be needed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

INTERRUPTED = 130
FORWARDING = "Kubernetes port forward proxy"
"""How the kubernetes package names those threads."""


@contextmanager
def plainly() -> Iterator[None]:
    """Turn an exception into one redacted line on standard error and an exit code: 2 for bad input."""
    try:
        yield
    except (KeyboardInterrupt, BrokenPipeError) as error:
        _leave("" if isinstance(error, BrokenPipeError) else "Interrupted.", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 (this is the last door)
        _leave(*told(error))


def told(error: BaseException) -> tuple[str, int]:
    """The line and the exit code for an exception."""
    from runbook.engine.errors import RunbookError
    from runbook.engine.redaction import redact

    if isinstance(error, RunbookError):
        return redact(str(error)), error.exit_code
    if _while_reading_settings(error):
        words = redact(" ".join(str(error).split()))[:300]
        told = f"invoke.yaml, or the file of -f, cannot be read: {words}"
        return f"{told}; wanted: a YAML file with runbook: and keys below it", 2
    return f"unexpected {type(error).__name__}: {redact(str(error))}; details: {_keep(error)}", 1


def _while_reading_settings(error: BaseException) -> bool:
    """Invoke itself reads invoke.yaml (a list, a folder, not UTF-8, no YAML), and stumbles in its own words."""
    frame = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename.endswith(("/invoke/config.py", "/yaml/__init__.py")):
            return True
        frame = frame.tb_next
    return False


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For sys.excepthook: what fails before a task starts (a bad invoke.yaml) is told in one line as well."""
    del kind, trace
    if isinstance(error, BrokenPipeError):  # as where `inv --list | head` has seen enough
        os._exit(INTERRUPTED)
    line, code = told(error)
    print(line, file=sys.stderr)  # noqa: T201 (nothing else can print any more)
    sys.stderr.flush()
    os._exit(code)


def thread_hook(args: threading.ExceptHookArgs) -> None:
    """For threading.excepthook: a forwarding thread of the kubernetes package that dies closes its sockets, and whoever
    waits on those sees that and tells it in one line."""
    if args.thread is None or not args.thread.name.startswith(FORWARDING):
        threading.__excepthook__(args)


def _leave(line: str, code: int) -> None:
    if line:
        print(line, file=sys.stderr)  # noqa: T201
    sys.exit(code)


def _keep(error: BaseException) -> str:
    """Write the redacted traceback where its reader finds it, and say where."""
    import traceback

    from runbook.engine.redaction import redact

    with tempfile.NamedTemporaryFile("w", prefix="todo-runbook-", suffix=".log", delete=False) as file:
        file.write(redact("".join(traceback.format_exception(error))))
    return file.name
