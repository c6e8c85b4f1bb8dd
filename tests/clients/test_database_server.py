"""A user's database tried once, against a real PostgreSQL with TLS: authority, name, role, database and rights."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from runbook.app.secrets.authority import certify
from runbook.clients.database import try_once
from runbook.engine.errors import UsageError
from runbook.engine.settings import load
from runbook.engine.settings.database_url import read

PASSWORD = "pw/of a role+1"
ENCODED = "pw%2Fof%20a%20role%2B1"
SECONDS = 60


def programs() -> Path | None:
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(newest[-1]) if newest else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


pytestmark = pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")


@dataclass(frozen=True)
class Server:
    port: int
    authority: Path
    stranger: Path

    def ask(self, given: str) -> None:
        chosen = load({}, {}, {"TODO_DATABASE_URL": given})
        try_once(read(chosen.database_url.get_secret_value()), chosen.database_authority)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A fresh server on every address of this machine, whose certificate is for this machine's name."""
    folder_of_programs = programs()
    assert folder_of_programs
    account: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses root
        entry = pwd.getpwnam("nobody")
        account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    with TemporaryDirectory(prefix="todo-pg-", dir="/tmp") as folder:
        home = Path(folder)
        home.chmod(0o755)
        made, other = certify([socket.gethostname()]), certify([socket.gethostname()])
        files = {"password": PASSWORD, "tls.crt": made.certificate, "tls.key": made.key}
        for name, content in files.items():
            (home / name).write_text(content)
            (home / name).chmod(0o600)
            if account:
                os.chown(home / name, account["user"], account["group"])
        (home / "ca.crt").write_text(made.authority)
        (home / "stranger.crt").write_text(other.authority)
        if account:
            os.chown(home, account["user"], account["group"])
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        run: dict[str, Any] = {
            "cwd": home,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            **account,
        }
        begin = [f"--pgdata={home / 'data'}", "--username=todo_app", f"--pwfile={home / 'password'}"]
        subprocess.run(
            [folder_of_programs / "initdb", *begin, "--auth=scram-sha-256", "--no-sync"],
            check=True,
            timeout=SECONDS,
            **run,
        )
        (home / "data" / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
        chosen = {
            "listen_addresses": "*",
            "unix_socket_directories": folder,
            "port": str(port),
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": str(home / "tls.crt"),
            "ssl_key_file": str(home / "tls.key"),
        }
        words = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
        process = subprocess.Popen([folder_of_programs / "postgres", "-D", home / "data", *words], **run)
        try:
            prepare(port)
            yield Server(port, home / "ca.crt", home / "stranger.crt")
        finally:
            process.send_signal(2)  # SIGINT: fast shutdown
            process.wait(SECONDS)


def prepare(port: int) -> None:
    """Once it answers: a database, and a role that may connect and make nothing."""
    end = time.monotonic() + SECONDS
    owner = {
        "host": "127.0.0.1",
        "port": port,
        "user": "todo_app",
        "password": PASSWORD,
        "sslmode": "require",
    }
    while True:
        try:
            with psycopg.connect(**owner, dbname="postgres", autocommit=True) as connection:  # type: ignore[arg-type]
                connection.execute("CREATE DATABASE todo")
                connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
                return
        except psycopg.OperationalError:
            assert time.monotonic() < end, "PostgreSQL did not start"
            time.sleep(0.1)


def url(
    server: Server, query: str, *, role: str = "todo_app", password: str = ENCODED, name: str = "todo"
) -> str:
    return f"postgresql://{role}:{password}@{socket.gethostname()}:{server.port}/{name}?{query}"


@pytest.mark.parametrize(
    "query",
    [
        "sslmode=require&channel_binding=require",
        "sslmode=verify-full&sslrootcert={authority}",
        "sslmode=verify-full&channel_binding=require&sslrootcert={authority}",
    ],
)
def test_neons_own_form_and_a_file_of_ones_own(server: Server, query: str) -> None:
    server.ask(url(server, query.format(authority=server.authority)))


@pytest.mark.parametrize(
    ("query", "changed", "words"),
    [
        ("sslmode=verify-full&sslrootcert={stranger}", {}, "certificate verify failed"),
        ("sslmode=verify-full", {}, "certificate verify failed"),
        ("sslmode=require", {"password": "another"}, "password authentication failed"),
        ("sslmode=require", {"role": "nobody_here"}, "password authentication failed"),
        ("sslmode=require", {"name": "none"}, 'database "none" does not exist'),
        ("sslmode=require", {"role": "reader"}, "may not make tables"),
    ],
)
def test_what_is_wrong_is_one_line_without_the_password(
    server: Server, query: str, changed: dict[str, str], words: str
) -> None:
    query = query.format(stranger=server.stranger)
    with pytest.raises(UsageError) as caught:
        server.ask(url(server, query, **changed))
    said = str(caught.value)
    assert words in said and "\n" not in said
    assert PASSWORD not in said and ENCODED not in said
