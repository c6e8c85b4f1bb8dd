"""One module for each group of planted faults."""
