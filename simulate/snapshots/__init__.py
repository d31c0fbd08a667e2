"""Clusters of simulations: halo tables, halo finding, and all that lies along a line of sight."""
