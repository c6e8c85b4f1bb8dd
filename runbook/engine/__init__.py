"""The engine: steps, plan, runner, journal, waits, settings and errors; knows nothing of clusters or clients."""
