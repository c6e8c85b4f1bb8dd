"""Checks of the node, the release, its pods and its Services."""
