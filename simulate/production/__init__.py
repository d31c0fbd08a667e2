"""Catalogs at scale: sources of scenes, workers, resume."""
