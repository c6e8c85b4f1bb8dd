"""Static checks: anyone's Kubernetes manifests, judged by rules before they reach a cluster."""
