"""Alembic's environment: connects by DATABASE_URL and runs all versions in one transaction."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from todo_backend import logs, models
from todo_backend.config import DatabaseSettings
from todo_backend.database import create_engine
from todo_backend.migrations.grants import GRANTS

_LOCK = 7036874417766
"""Key of the advisory lock, so that two jobs at once wait for each other."""

_PATIENCE = {"database_connect_attempts": 8, "database_command_timeout": 600.0}
"""About a minute for a database that is just starting, ten for a change of a large table."""


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=models.Task.metadata, compare_server_default=True
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        context.run_migrations()
        if _is_upgrade():
            connection.execute(text(GRANTS))


def _is_upgrade() -> bool:
    """Rights are renewed at every upgrade, also one without new versions: roles may have come since."""
    command = getattr(context.config.cmd_opts, "cmd", None)
    return command is not None and command[0].__name__ == "upgrade"


async def _connect_and_run() -> None:
    settings = DatabaseSettings().model_copy(update=_PATIENCE)
    engine = create_engine(settings, application="todo-migrations")
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
            await connection.commit()
    finally:
        await engine.dispose()


logs.configure()
asyncio.run(_connect_and_run())
