"""Figures: pure functions, each with its definition and its source. What one does not apply to gives None, never 0."""
