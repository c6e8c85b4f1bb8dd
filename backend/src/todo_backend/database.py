"""The connection to PostgreSQL: one pool per process, bounded waits, retries while the server starts."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential

from todo_backend.config import DatabaseSettings
from todo_backend.database_url import driver_arguments

Sessions = async_sessionmaker[AsyncSession]
type Connection = asyncpg.Connection[asyncpg.Record]

log = structlog.get_logger(__name__)

_STARTING_UP = (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)
_RECYCLE_SECONDS = 3600


class DatabaseUnavailableError(Exception):
    """PostgreSQL cannot be reached after all attempts, or refuses us; the text is the kind of error."""


def _passing(error: BaseException) -> bool:
    """Whether another attempt may help; a certificate that is refused stays refused."""
    return isinstance(error, _STARTING_UP) and not isinstance(error, ssl.SSLCertVerificationError)


def create_engine(settings: DatabaseSettings, application: str = "todo-backend") -> AsyncEngine:
    """An engine that connects on first use.

    One URL serves every service, and its parameters mean what libpq says.
    The first connection is logged, and the first one after a failure; so is each attempt that failed.
    """
    connected = False

    async def connect(**_: Any) -> Any:
        nonlocal connected
        attempts = AsyncRetrying(
            retry=retry_if_exception(_passing),
            stop=stop_after_attempt(settings.database_connect_attempts),
            wait=wait_exponential(multiplier=0.5, max=settings.database_retry_max_wait),
            before_sleep=_tell_retry,
            reraise=True,
        )
        try:
            connection: Connection = await attempts(
                asyncpg.connect,
                **driver_arguments(
                    settings.database_url.get_secret_value(),
                    application=application,
                    timeout=settings.database_connect_timeout,
                ),
                command_timeout=settings.database_command_timeout,
                statement_cache_size=0,  # pooled hosts share server connections between clients
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            connected = False
            raise DatabaseUnavailableError(type(error).__name__) from error
        if not connected:
            connected = True
            attempt = attempts.statistics["attempt_number"]
            log.info("database_connected", application=application, attempt=attempt, **encryption(connection))
        return connection

    return create_async_engine(
        "postgresql+asyncpg://",
        connect_args={"async_creator_fn": connect, "prepared_statement_cache_size": 0},
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_max_overflow,
        pool_timeout=settings.database_pool_timeout,
        pool_recycle=_RECYCLE_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,  # parameters are what people wrote
    )


def _tell_retry(state: RetryCallState) -> None:
    """Before the pause that follows an attempt which failed."""
    error = state.outcome.exception() if state.outcome else None
    pause = round(state.upcoming_sleep, 2)
    log.warning("database_retry", attempt=state.attempt_number, pause_seconds=pause, exc_info=error)


def encryption(connection: Connection) -> dict[str, str]:
    """TLS version and cipher as this end of the connection has them; empty for one in plain text.

    A server behind a proxy knows only the proxy's; the driver keeps ours to itself.
    """
    transport: asyncio.Transport = getattr(connection, "_transport")  # noqa: B009 - no public way leads to it
    layer: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if layer is None:
        return {"tls": "", "cipher": ""}
    return {"tls": layer.version() or "", "cipher": (layer.cipher() or ("",))[0]}


async def greet(engine: AsyncEngine) -> None:
    """Connect once, so that the log tells from the start whether PostgreSQL answers; a failure ends nothing.

    Requests connect by themselves: the process serves, whatever comes of this.
    """
    try:
        async with engine.connect():
            pass
    except (DatabaseUnavailableError, SQLAlchemyError) as error:
        log.error("database_unavailable", exc_info=error)


def create_sessions(engine: AsyncEngine) -> Sessions:
    """The factory of units of work; objects stay readable after their commit."""
    return async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


async def unit_of_work(request: Request) -> AsyncIterator[AsyncSession]:
    """A session for one request; what is not committed is rolled back."""
    sessions: Sessions = request.app.state.sessions
    async with sessions() as session:
        yield session
