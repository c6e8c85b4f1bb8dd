"""Checks of Dapr: control plane, sidecars, mutual TLS, state store."""
