"""Real connections between pods: who tries, by what means, to where, and what came of it."""
