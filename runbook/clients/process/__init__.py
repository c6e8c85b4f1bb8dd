"""Programs: started with an environment made for them, watched, and ended with the run that started them."""
