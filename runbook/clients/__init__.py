"""Clients of what stands outside: programs, Docker, Helm, HTTP, browser, databases. They take values."""
