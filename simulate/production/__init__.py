"""Catalogs at scale: many workers, interruptions, one result."""

from icmass.simulate.production.driver import Progress, Summary, produce, simulate_catalog
from icmass.simulate.production.producer import ClusterProducer, Producer
from icmass.simulate.production.sources import Source

__all__ = [
    "ClusterProducer",
    "Producer",
    "Progress",
    "Source",
    "Summary",
    "produce",
    "simulate_catalog",
]
