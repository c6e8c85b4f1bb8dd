"""Checks of Dockerfiles and images."""
