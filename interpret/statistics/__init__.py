"""Attributions in numbers: by region, radius, band and kind of cluster, with errors."""
