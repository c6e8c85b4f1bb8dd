"""What the services' roles may do in PostgreSQL, asked of the server as each of them: no more than their work needs."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from runbook.app.secrets import secret_data
from runbook.engine.errors import Unmeasurable

if TYPE_CHECKING:
    import psycopg

    from runbook.world import World

ALL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
READ = frozenset({"SELECT"})

RIGHTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "database-url": {
        **dict.fromkeys(("task", "conversation", "message", "chat_key", "rate_limit"), ALL),
        "preference": frozenset({"SELECT", "INSERT", "UPDATE"}),
        **dict.fromkeys(("user", "session"), READ),
    },
    "frontend-database-url": dict.fromkeys(("user", "session", "account", "verification", "rate_limit"), ALL),
    "mcp-database-url": {"task": ALL},
}
"""By hand, not from the migrations: what each service works with, and nothing else."""

_ROLE = """
SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
    (SELECT coalesce(array_agg(o.rolname::text), '{}') FROM pg_roles o
        WHERE o.oid <> r.oid AND pg_has_role(r.oid, o.oid, 'MEMBER')) AS within,
    (SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refclassid = 'pg_authid'::regclass
        AND refobjid IN (r.oid, to_regrole(regexp_replace(rolname, '_b$', '')))) AS owned,
    has_database_privilege(current_database(), 'CREATE') AS creates_schemas,
    (SELECT coalesce(array_agg(nspname::text), '{}') FROM pg_namespace
        WHERE nspname !~ '^pg_' AND has_schema_privilege(oid, 'CREATE')) AS creates_in
FROM pg_roles r WHERE rolname = current_user"""

_TABLES = """
SELECT c.relname::text AS name, p.privilege FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace,
unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(privilege)
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
AND has_table_privilege(c.oid, p.privilege)"""

ATTRIBUTES = {
    "rolsuper": "is a superuser",
    "rolcreatedb": "may create databases",
    "rolcreaterole": "may create roles",
    "rolreplication": "may replicate",
    "rolbypassrls": "passes by row security",
    "creates_schemas": "may create schemas",
}


def excesses(world: World) -> list[str]:
    """What a role may do beyond its work, by the server's own answers and by an attempt; empty for the least rights.

    Raises `Unmeasurable` where a role cannot sign in.

    Source: D-12.
    """
    with ThreadPoolExecutor(len(RIGHTS)) as pool:
        return [each for found in pool.map(lambda key: _of(world, key), RIGHTS) for each in found]


def _of(world: World, key: str) -> list[str]:
    with world.database.connect(key=key) as connection:
        role = connection.execute(_ROLE).fetchone()
        if role is None:
            raise Unmeasurable(f"the server does not know the role of {key}", wanted="its role")
        name = str(role["rolname"])
        problems = [f"{name} {words}" for column, words in ATTRIBUTES.items() if role[column]]
        if role["owned"]:
            problems.append(f"{name} owns {role['owned']} objects")
        problems += [f"{name} may create objects in schema {schema}" for schema in role["creates_in"]]
        base = secret_data.URL_ROLES[key]
        problems += [f"{name} is a member of {other}" for other in role["within"] if other != base]
        problems += _tables(name, RIGHTS[key], connection.execute(_TABLES).fetchall())
        return problems + _attempts(name, RIGHTS[key], connection)


def _tables(name: str, wanted: Mapping[str, frozenset[str]], rows: list[dict[str, Any]]) -> list[str]:
    problems = [
        f"{name} may {row['privilege']} in {row['name']}"
        for row in rows
        if row["privilege"] not in wanted.get(row["name"], frozenset())
    ]
    found = {(row["name"], row["privilege"]) for row in rows}
    return problems + [
        f"{name} may not {right} in {table}"
        for table, rights in wanted.items()
        for right in sorted(rights)
        if (table, right) not in found
    ]


def _attempts(
    name: str, wanted: Mapping[str, frozenset[str]], connection: psycopg.Connection[dict[str, Any]]
) -> list[str]:
    """A table that must not come to be, after a read that must work; nothing of it stays."""
    from psycopg.errors import InsufficientPrivilege

    connection.execute(f'SELECT FROM "{min(wanted)}" LIMIT 0')
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("CREATE TABLE public.of_the_runbook ()")
    except InsufficientPrivilege:
        return []
    return [f"{name} made a table"]
