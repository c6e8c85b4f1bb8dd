"""A runbook that proves itself: 131 steps to a local Kubernetes, each with a check against the live world."""
