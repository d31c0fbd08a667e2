"""Surveys of the sky: conditions, haloes, AGN and background of a footprint, tile by tile.

`simulate_survey` makes one; `icmass.simulate.cutouts` makes a catalog of its haloes.
"""

from icmass.simulate.survey.driver import Summary, simulate_survey

__all__ = ["Summary", "simulate_survey"]
