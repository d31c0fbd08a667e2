"""Figures of a survey: its photons on the sky, a tile in colour, what was found, number counts.

Each function takes arrays and returns a matplotlib Figure that pyplot does not know; `save` writes
it, the same bytes each time.
"""

from icmass.figure_style import save
from icmass.simulate.survey.figures.completeness import SharePanel, completeness_figure
from icmass.simulate.survey.figures.counts_map import counts_map
from icmass.simulate.survey.figures.number_counts import cumulative_counts, number_counts_figure
from icmass.simulate.survey.figures.tile_picture import three_colours, tile_picture

__all__ = [
    "SharePanel",
    "completeness_figure",
    "counts_map",
    "cumulative_counts",
    "number_counts_figure",
    "save",
    "three_colours",
    "tile_picture",
]
