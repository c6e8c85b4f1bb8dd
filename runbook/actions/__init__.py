"""Actions: each makes one check pass; idempotent."""
