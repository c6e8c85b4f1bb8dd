"""Drills: each disturbs the running application for a proof, and restores it."""
