"""Checks: each asks the live world and changes nothing."""
