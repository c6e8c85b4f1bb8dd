"""Secrets and certificates as they are: names, keys, what makes a value unusable."""
