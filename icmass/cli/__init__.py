"""Command line of icmass."""
