"""A runbook that proves itself: the steps to a local Kubernetes, each with a check against the live world."""
