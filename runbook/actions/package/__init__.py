"""Install and upgrade the releases."""
