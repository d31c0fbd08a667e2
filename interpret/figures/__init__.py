"""Figures of what networks look at: maps, profiles, distributions, interventions, ablations.

Each function returns a matplotlib Figure that pyplot does not know, the same whatever the settings
of the session; `save` writes it. They take plain numbers in the small classes defined here. Masses
enter as ln M500c (0.1 is 10%), radii as r / R500c in projection.
"""

from icmass.figure_style import save
from icmass.interpret.figures.ablations import AblationRow, ablation_figure
from icmass.interpret.figures.distributions import (
    Distribution,
    DistributionPanel,
    distribution_figure,
)
from icmass.interpret.figures.faithfulness import Curve, FaithfulnessRow, faithfulness_figure
from icmass.interpret.figures.gallery import GalleryPanel, gallery_figure
from icmass.interpret.figures.interventions import ChangeRow, Effect, intervention_figure
from icmass.interpret.figures.profiles import ProfileLine, ProfilePanel, profile_figure
from icmass.interpret.figures.sanity import SanityRow, sanity_figure
from icmass.interpret.figures.sheet import sheet_figure

__all__ = [
    "AblationRow",
    "ChangeRow",
    "Curve",
    "Distribution",
    "DistributionPanel",
    "Effect",
    "FaithfulnessRow",
    "GalleryPanel",
    "ProfileLine",
    "ProfilePanel",
    "SanityRow",
    "ablation_figure",
    "distribution_figure",
    "faithfulness_figure",
    "gallery_figure",
    "intervention_figure",
    "profile_figure",
    "sanity_figure",
    "save",
    "sheet_figure",
]
