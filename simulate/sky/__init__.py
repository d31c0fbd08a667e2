"""What else the telescope sees: particles, the Galaxy, unresolved background, AGN.

Each function returns a component of light; switching one off leaves the draws of all others alone.
"""

from icmass.simulate.sky.agn import cluster_agn, expected_members, field_agn
from icmass.simulate.sky.agn_table import AgnKind, AgnTable
from icmass.simulate.sky.agn_volume import expected_in_volume, listed_agn, volume_agn
from icmass.simulate.sky.background import particle_background
from icmass.simulate.sky.components import SKY_COMPONENTS, sky_components
from icmass.simulate.sky.diffuse import extragalactic, foreground

__all__ = [
    "SKY_COMPONENTS",
    "AgnKind",
    "AgnTable",
    "cluster_agn",
    "expected_in_volume",
    "expected_members",
    "extragalactic",
    "field_agn",
    "foreground",
    "listed_agn",
    "particle_background",
    "sky_components",
    "volume_agn",
]
