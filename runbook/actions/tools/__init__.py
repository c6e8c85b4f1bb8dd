"""Install tools, start and stop the build engine."""
