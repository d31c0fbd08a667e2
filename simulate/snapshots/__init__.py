"""Clusters of simulations: halo tables, halo finding, and all that lies along a line of sight."""

from icmass.simulate.snapshots.source import SnapshotSource

__all__ = ["SnapshotSource"]
