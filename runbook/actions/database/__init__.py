"""Roles and credentials of the database."""
