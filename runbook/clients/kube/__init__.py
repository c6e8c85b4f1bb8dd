"""The Kubernetes API: requests, watches, streams, and what objects say of themselves."""
