"""Rights of the services' roles: each gets only what it uses, and only where the role exists."""

_RIGHTS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "todo_backend": (
        ("SELECT, INSERT, UPDATE, DELETE", ("task", "conversation", "message", "chat_key", "rate_limit")),
        ("SELECT, INSERT, UPDATE", ("preference",)),
        ("SELECT", ("user", "session")),
    ),
    "todo_frontend": (
        ("SELECT, INSERT, UPDATE, DELETE", ("user", "session", "account", "verification", "rate_limit")),
    ),
    "todo_mcp": (("SELECT, INSERT, UPDATE, DELETE", ("task",)),),
}


def _statements(role: str) -> str:
    lines = [f"GRANT USAGE ON SCHEMA public TO {role};"]
    for rights, tables in _RIGHTS[role]:
        names = ", ".join(f'"{table}"' for table in tables)
        lines.append(f"GRANT {rights} ON {names} TO {role};")
    return "\n        ".join(lines)


GRANTS = (
    "DO $$ BEGIN"
    + "".join(
        f"""
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        {_statements(role)}
    END IF;"""
        for role in _RIGHTS
    )
    + "\nEND $$"
)
"""One statement that may run at any time, also twice."""
