"""Make the host name of the application known to this machine."""
