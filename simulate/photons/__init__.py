"""photons."""
