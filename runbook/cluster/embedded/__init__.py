"""A real Kubernetes node of our own, for a machine where nothing but package registries answer."""
