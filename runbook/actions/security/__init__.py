"""Make Secrets and certificates."""
