"""Build images and load them into the cluster."""
