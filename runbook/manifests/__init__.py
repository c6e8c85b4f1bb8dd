"""`inv verify.manifests`: anyone's Kubernetes manifests, judged by kube-score before they reach a cluster."""
