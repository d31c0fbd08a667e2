"""Command line of icmass."""

from icmass.cli.main import main

__all__ = ["main"]
