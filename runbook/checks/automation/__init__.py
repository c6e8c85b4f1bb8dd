"""Checks of the scripts and of the README."""
