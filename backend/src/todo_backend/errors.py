"""Errors as answers: `{"detail": ...}` with words for people, never an exception's own text."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.responses import JSONResponse

from todo_backend.database import DatabaseUnavailableError

_RETRY_AFTER_SECONDS = "5"
_UNAVAILABLE_CLASSES = ("08", "53", "57")
"""SQLSTATE classes: connection, resources, and the operator's intervention (shutdown, cancel)."""

log = structlog.get_logger(__name__)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """422: where and why, without repeating what was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    detail = [
        {"loc": list(found["loc"]), "msg": found["msg"], "type": found["type"]} for found in error.errors()
    ]
    return JSONResponse({"detail": detail}, 422)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    """503: the database does not answer now."""
    log.error("database_unavailable", exc_info=error)
    return JSONResponse(
        {"detail": "The database cannot be reached right now. Please try again soon."},
        503,
        {"Retry-After": _RETRY_AFTER_SECONDS},
    )


async def _database_error(request: Request, error: Exception) -> JSONResponse:
    """503 where another attempt may help; otherwise the error is ours and goes on."""
    assert isinstance(error, DBAPIError)  # noqa: S101 - registered for this class
    state = getattr(error.orig, "sqlstate", None) or ""
    if error.connection_invalidated or state.startswith(_UNAVAILABLE_CLASSES):
        return await _unavailable(request, error)
    raise error


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(RequestValidationError, _invalid)
    for unavailable in (DatabaseUnavailableError, PoolTimeoutError, TimeoutError):
        app.add_exception_handler(unavailable, _unavailable)
    app.add_exception_handler(DBAPIError, _database_error)
