"""An independent connection to PostgreSQL: what the application stored, read without the application."""

from __future__ import annotations

import base64
import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from runbook.clients.kube.api import Api
from runbook.engine import state_file
from runbook.engine.errors import RunbookError, Unmeasurable, UsageError
from runbook.engine.redaction import conceal, redact
from runbook.engine.settings import Settings, database_url
from runbook.engine.settings.database_url import DatabaseUrl

SECRET = "todo-secrets"  # noqa: S105 - a name, not a secret
AUTHORITY = "todo-database-ca"
AUTHORITY_KEY = "ca.crt"
OWNER_KEY = "migration-database-url"
CONNECT_TIMEOUT = 10
REFUSED = "FATAL:"
"""Begins what a server says that answers, and does not let one in."""

BUSY = ("starting up", "shutting down", "in recovery", "too many", "connection slots")
"""In what it says when it lets nobody in just now: that is no word about the credentials."""

_RIGHTS = "SELECT has_schema_privilege(current_schema(), 'CREATE')"

CLUSTER_SUFFIX = ".svc.cluster.local"

Row = dict[str, Any]


class Database:
    """Connects as a role of the Kubernetes Secret. A server in the cluster is reached through a forwarded port of its
    pod, and still proves its certificate for its Service name (verify-full)."""

    def __init__(self, settings: Settings, api: Api) -> None:
        self._settings = settings
        self._api = api

    def query(self, statement: str, parameters: Sequence[Any] = (), *, key: str = OWNER_KEY) -> list[Row]:
        """The rows of one statement, in a connection of its own."""
        with self.connect(key=key) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def refusal(self, url: str) -> str:
        """The server's own words where it does not let this URL in; empty where it does.

        Raises `Unmeasurable` where it does not come to that.
        """
        try:
            with self.connect(url=url):
                return ""
        except Unmeasurable as problem:
            _, said, words = problem.observed.rpartition(REFUSED)
            if said and not any(each in words for each in BUSY):
                return words.strip()
            raise

    @contextmanager
    def connect(self, *, key: str = OWNER_KEY, url: str = "") -> Iterator[psycopg.Connection[Row]]:
        """A connection with the URL under `key` of the Secret, or with another one; commits at the end of the context.

        Raises `Unmeasurable` where the Secret is incomplete, the server is away or its certificate is wrong.
        """
        with ExitStack() as stack:
            parsed = parameters_of(url or self._url(key), "the URL" if url else f"{key} in Secret {SECRET}")
            parameters = self._reachable(parsed, stack)
            try:
                connection = stack.enter_context(
                    psycopg.connect(**parameters, connect_timeout=CONNECT_TIMEOUT, row_factory=dict_row)
                )
            except psycopg.OperationalError as problem:
                raise Unmeasurable(
                    f"no connection to PostgreSQL as {parameters.get('user')}: {redact(str(problem).strip())}",
                    wanted="an independent connection with a proven certificate",
                    hint="kubectl -n todo-database get pods",
                ) from None
            try:
                yield connection
            except psycopg.Error as problem:
                raise RunbookError(
                    f"PostgreSQL refused a statement of {parameters.get('user')}: {redact(str(problem).strip())}",
                    wanted="the statement carried out",
                ) from None

    def _url(self, key: str) -> str:
        secret = self._api.get("Secret", SECRET, self._settings.namespace)
        encoded = ((secret or {}).get("data") or {}).get(key)
        if not encoded:
            raise Unmeasurable(
                f"Secret {SECRET} in namespace {self._settings.namespace} has no key {key}",
                wanted=f"the key {key} with a PostgreSQL URL",
                hint="inv deploy",
            )
        return base64.b64decode(encoded).decode().strip()

    def _reachable(self, parameters: Mapping[str, Any], stack: ExitStack) -> dict[str, Any]:
        """The parameters as seen from this machine: own copy of the CA, and a forwarded port for a Service."""
        host = str(parameters.get("host", ""))
        reachable = dict(parameters)
        if reachable.get("sslrootcert") == database_url.IN_PODS:
            reachable["sslrootcert"] = self._authority()
        elif reachable.get("sslmode") == "verify-full":
            reachable["sslrootcert"] = system_authorities()
        if host.endswith(CLUSTER_SUFFIX):
            service, namespace = host.removesuffix(CLUSTER_SUFFIX).split(".", 1)
            pod, port = self._pod_behind(service, namespace)
            # libpq connects to hostaddr and checks the certificate against host.
            reachable["hostaddr"] = "127.0.0.1"
            reachable["port"] = stack.enter_context(self._api.port_forward(pod, port, namespace))
        return reachable

    def _authority(self) -> str:
        found = self._api.get("ConfigMap", AUTHORITY, self._settings.namespace)
        if found is None:
            return system_authorities()
        path = self._settings.state / "database-ca.crt"
        state_file.write(path, str(found["data"][AUTHORITY_KEY]))
        return str(path)

    def _pod_behind(self, service: str, namespace: str) -> tuple[str, int]:
        """A ready pod of the Service and its port, by the EndpointSlices."""
        slices = self._api.list("EndpointSlice", namespace, labels=f"kubernetes.io/service-name={service}")
        for each in slices:
            for endpoint in each.get("endpoints") or []:
                ready = (endpoint.get("conditions") or {}).get("ready")
                target = endpoint.get("targetRef") or {}
                if ready and target.get("kind") == "Pod" and each.get("ports"):
                    return str(target["name"]), int(each["ports"][0]["port"])
        raise Unmeasurable(
            f"Service {service} in namespace {namespace} has no ready pod",
            wanted="a running PostgreSQL",
            hint=f"kubectl -n {namespace} get pods",
        )


def system_authorities() -> str:
    """What this machine trusts, as a file where it has one: our libpq knows no distributor's place."""
    return ssl.get_default_verify_paths().cafile or database_url.SYSTEM


def try_once(url: DatabaseUrl, authority: str = "") -> None:
    """Connect to a user's database as the pods will: host, certificate, role, and the right to make tables.

    `authority`: the certificates that the URL's sslrootcert stands for in the pods. A Service of the cluster is left to
    the pods. Raises `UsageError`, in one line and without the URL.
    """
    if ".svc" in url.host:
        return
    parameters = url.libpq()
    parameters["connect_timeout"] = CONNECT_TIMEOUT
    conceal(url.password, url.text())
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".crt") as file:
            if authority:
                file.write(authority)
                file.flush()
                parameters["sslrootcert"] = file.name
            elif url.sslmode == "verify-full":
                parameters["sslrootcert"] = system_authorities()
            row = _rights(parameters)
    except psycopg.Error as problem:
        said = " ".join(redact(str(problem)).split()) or type(problem).__name__
        raise UsageError(
            f"the database of {database_url.VARIABLE} cannot be used: {said}",
            wanted="a connection with this role and this sslmode",
            hint="psql with the same URL says the same; mend the URL, or unset the variable",
        ) from None
    if row is None or not row[0]:
        raise UsageError(
            f"the role in {database_url.VARIABLE} may not make tables in its schema",
            wanted="a role that the migrations can run as",
            hint="as the owner of the database: GRANT CREATE ON SCHEMA public TO that role",
        )


def _rights(parameters: dict[str, str | int]) -> tuple[Any, ...] | None:
    with psycopg.connect(**parameters) as connection:  # type: ignore[arg-type]
        return connection.execute(_RIGHTS).fetchone()


def parameters_of(url: str, place: str) -> dict[str, Any]:
    """libpq's own reading of a URL, which is concealed from then on. Raises `Unmeasurable`, without the URL."""
    password = urlsplit(url).password or ""
    conceal(url, password, unquote(password))
    try:
        return {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:
        raise Unmeasurable(
            f"the value of {place} is not a PostgreSQL URL",
            wanted="postgresql://role:password@host:5432/database?sslmode=verify-full",
            hint="inv deploy",
        ) from None
