"""What each command does: choose steps, run them, report; the only place that ends the process."""
