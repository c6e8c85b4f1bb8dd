"""Checks of the tools on this machine."""
