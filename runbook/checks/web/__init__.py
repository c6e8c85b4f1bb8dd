"""Checks of the application as it is seen from outside: host name, page, chat."""
