"""Which haloes are where on the sky: drawn or read, painted or taken from templates."""

from icmass.simulate.lightcone.counts import expected_per_deg2, halo_density
from icmass.simulate.lightcone.draw import draw_light_cone
from icmass.simulate.lightcone.light_cone import LightCone
from icmass.simulate.lightcone.read import read_light_cone
from icmass.simulate.lightcone.templates import nearest_templates, with_templates

__all__ = [
    "LightCone",
    "draw_light_cone",
    "expected_per_deg2",
    "halo_density",
    "nearest_templates",
    "read_light_cone",
    "with_templates",
]
