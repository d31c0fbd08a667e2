"""Figures of what networks look at."""
