"""ICMass: X-ray photons of simulated galaxy clusters, and the masses that can be read from them."""

__all__ = ["__version__"]

__version__ = "0.1.0"
