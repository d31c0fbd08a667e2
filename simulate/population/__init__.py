"""Clusters painted in gas, galaxies and AGN, for when no simulation is at hand."""
