"""Start and repair the cluster, its namespaces and workloads; remove all of it."""
