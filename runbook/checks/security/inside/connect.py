"""Run in the backend's container: connects to PostgreSQL by the backend's own code, and says what came of it.

One line of JSON on standard input: attempts by name, each with what is other than in the container's own URL: `url`,
`sslmode`, `authority` (a certificate in PEM), `address` (true: the server's address in the place of its name). One line
of JSON on standard output.
"""

import asyncio
import json
import pathlib
import socket
import ssl
import sys
import tempfile
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import structlog
from sqlalchemy import text
from todo_backend.config import DatabaseSettings
from todo_backend.database import DatabaseUnavailableError, create_engine, encryption

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
own = DatabaseSettings()


def url_of(attempt, folder):
    parts = urlsplit(attempt.get("url") or own.database_url.get_secret_value())
    query = dict(parse_qsl(parts.query.replace("+", "%2B")))
    if "sslmode" in attempt:
        query["sslmode"] = attempt["sslmode"]
        query.pop("sslrootcert", None)
    if "authority" in attempt:
        file = pathlib.Path(folder, "ca.crt")
        file.write_text(attempt["authority"])
        query["sslrootcert"] = str(file)
    place = parts.netloc
    if attempt.get("address"):
        user = place.rpartition("@")[0]
        address = socket.getaddrinfo(parts.hostname, parts.port or 5432, type=socket.SOCK_STREAM)[0][4][0]
        place = f"{user}@{f'[{address}]' if ':' in address else address}:{parts.port or 5432}"
    return urlunsplit(parts._replace(netloc=place, query=urlencode(query, safe="/", quote_via=quote)))


async def told(attempt):
    with tempfile.TemporaryDirectory() as folder:
        try:
            url = url_of(attempt, folder)
        except OSError as problem:
            return {"connected": False, "error": type(problem).__name__, "state": ""}
        settings = own.model_copy(
            update={"database_url": type(own.database_url)(url), "database_connect_attempts": 1}
        )
        engine = create_engine(settings, application="todo-runbook")
        try:
            async with engine.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                layer = driver._transport.get_extra_info("ssl_object")
                return {
                    "connected": True,
                    "role": (await connection.execute(text("SELECT current_user"))).scalar_one(),
                    "certificate": layer is not None and layer.context.verify_mode == ssl.CERT_REQUIRED,
                    "name": layer is not None and layer.context.check_hostname,
                    **encryption(driver),
                }
        except DatabaseUnavailableError as problem:
            cause = problem.__cause__
            return {
                "connected": False,
                "error": type(cause).__name__,
                "state": getattr(cause, "sqlstate", "") or "",
            }
        finally:
            await engine.dispose()


async def main():
    asked = json.loads(sys.stdin.readline())
    answers = await asyncio.gather(*(told(attempt) for attempt in asked.values()))
    figures = own.model_dump(exclude={"database_url"})
    said = {"settings": figures, "attempts": dict(zip(asked, answers, strict=True))}
    sys.stdout.write(json.dumps(said) + "\n")


asyncio.run(main())
