"""Checks of accounts, rights, processes and Pod Security."""
