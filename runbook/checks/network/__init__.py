"""Checks of NetworkPolicies, and of the connections that they allow and refuse."""
