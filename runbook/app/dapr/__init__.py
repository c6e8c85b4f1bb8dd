"""Dapr as it has to be: whose it is, its source, its control plane and its state store."""
