"""A private PostgreSQL from the system's binaries, with TLS and the roles of the deployment."""

import asyncio
import os
import pwd
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from harness.processes import BACKEND, COMMAND_SECONDS, environment, executable, free_port

ROLES = ("todo_owner", "todo_backend", "todo_frontend", "todo_mcp")
PASSWORD = "only-for-this-test"
_START_SECONDS = 180
_TEMPLATE = "migrated"


class _Connections:
    """One open connection for each URL, on an event loop of its own: a handshake per statement is slow."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._open: dict[str, asyncpg.Connection[asyncpg.Record]] = {}
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def rows(self, url: str, statement: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
        return asyncio.run_coroutine_threadsafe(self._rows(url, statement, values), self._loop).result()

    async def _rows(self, url: str, statement: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
        # Taken out while in use: threads of a test may ask at once, and tests end connections.
        connection = self._open.pop(url, None)
        if connection is None or connection.is_closed():
            connection = await asyncpg.connect(url, statement_cache_size=0)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            if url in self._open:
                await connection.close()
            else:
                self._open[url] = connection


_CONNECTIONS = _Connections()


@dataclass(frozen=True)
class Database:
    """A database on the private server."""

    port: int
    name: str
    authority: Path
    """The certificate that clients trust; it is good for 127.0.0.1, not for any name."""

    def url(self, role: str, host: str = "127.0.0.1", authority: Path | None = None) -> str:
        """The libpq URL for a role, as the deployment writes it: with TLS, verified in full."""
        place = f"{role}:{PASSWORD}@{host}:{self.port}/{self.name}"
        return f"postgresql://{place}?sslmode=verify-full&sslrootcert={authority or self.authority}"

    def rows(self, statement: str, *values: Any, role: str = "postgres") -> list[dict[str, Any]]:
        """Run a statement as `role`, the superuser by default, and return its rows."""

        return _CONNECTIONS.rows(self.url(role), statement, values)

    def alembic(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the backend's alembic as the owner of the tables."""
        return subprocess.run(
            [executable(BACKEND, "alembic"), *arguments],
            cwd=BACKEND,
            env=environment({"DATABASE_URL": self.url("todo_owner")}),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )


def _binaries() -> Path:
    """The folder of PostgreSQL's programs: of the newest version installed, or of the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent if found else Path(str(on_path)).resolve().parent


def _account() -> dict[str, Any]:
    """Who runs the server: PostgreSQL refuses root, so root hands it to another account."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=todo-test", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=COMMAND_SECONDS,
    )
    return certificate, key


@contextmanager
def server() -> Iterator[Database]:
    """A fresh server with the roles; yields its maintenance database, and leaves nothing behind."""
    programs, account, port = _binaries(), _account(), free_port()
    with TemporaryDirectory(prefix="todo-pg-", dir="/tmp") as folder:
        home = Path(folder)
        secret = home / "password"
        secret.write_text(PASSWORD)
        certificate, key = make_certificate(home)
        if account:
            for path in (home, secret, certificate, key):
                os.chown(path, account["user"], account["group"])
        surroundings = environment({"HOME": folder})
        subprocess.run(
            [
                programs / "initdb",
                f"--pgdata={home / 'data'}",
                "--username=postgres",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
            ],
            cwd=home,
            env=surroundings,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=COMMAND_SECONDS,
            **account,
        )
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "port": str(port),
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": str(certificate),
            "ssl_key_file": str(key),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        process = subprocess.Popen(
            [programs / "postgres", "-D", home / "data", *options],
            cwd=home,
            env=surroundings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **account,
        )
        try:
            maintenance = Database(port, "postgres", certificate)
            _prepare(maintenance, process)
            yield maintenance
        finally:
            process.send_signal(2)  # SIGINT: fast shutdown
            process.wait(COMMAND_SECONDS)


def _prepare(maintenance: Database, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            maintenance.rows("SELECT 1")
            break
        except (OSError, asyncpg.CannotConnectNowError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start") from None
            time.sleep(0.1)
    for role in ROLES:
        maintenance.rows(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")


def create_database(maintenance: Database, name: str, template: str = "template0") -> Database:
    """A new database that belongs to the owner role: empty, or a copy of `template`."""
    maintenance.rows(f'CREATE DATABASE "{name}" OWNER todo_owner TEMPLATE "{template}"')
    return replace(maintenance, name=name)


def migrated(maintenance: Database, name: str) -> Database:
    """A new database with all tables; the migrations run once per server, the rest are copies."""
    exists = "SELECT datname FROM pg_database WHERE datname = $1"
    if not maintenance.rows(exists, _TEMPLATE):
        done = create_database(maintenance, _TEMPLATE).alembic("upgrade", "head")
        if done.returncode != 0:
            raise RuntimeError(f"alembic failed:\n{done.stdout}{done.stderr}")
    return create_database(maintenance, name, _TEMPLATE)
