"""Catalogs at scale: many workers, interruptions, one result."""

from icmass.simulate.production.driver import Progress, Summary, produce, simulate_catalog
from icmass.simulate.production.tasks import Producer

__all__ = ["Producer", "Progress", "Summary", "produce", "simulate_catalog"]
