"""Checks of PostgreSQL: Secret, TLS, privileges, connections, logs, data."""
