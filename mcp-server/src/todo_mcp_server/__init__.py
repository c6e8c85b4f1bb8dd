"""Task tools over the Model Context Protocol."""
