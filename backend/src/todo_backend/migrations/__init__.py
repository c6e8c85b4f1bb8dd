"""Versions of the schema, run by `alembic upgrade head` as the owner of the tables, never at import."""
