"""What is ours: an id that everything carries from its creation on, and a list of what else was made."""
