"""Offline model: a deterministic stand-in for a language model, behind the Chat Completions API.

It understands everyday sentences about a todo list, acts only through the tools that a request offers, and
says so when it did not understand. Its name in every answer is `offline-model`: nobody takes it for more.
"""

MODEL = "offline-model"
