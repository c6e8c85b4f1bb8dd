"""Checks of what the chart renders, and of the same objects once they are deployed."""
