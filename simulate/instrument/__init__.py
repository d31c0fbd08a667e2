"""The telescope: effective area, redistribution, point-spread function, vignetting, particles."""

from icmass.simulate.instrument.instrument import MODES, Instrument, Module, available
from icmass.simulate.instrument.particle_background import ParticleBackground
from icmass.simulate.instrument.psf import PSF
from icmass.simulate.instrument.redistribution import Redistribution
from icmass.simulate.instrument.response import Response
from icmass.simulate.instrument.vignetting import Vignetting

__all__ = [
    "MODES",
    "PSF",
    "Instrument",
    "Module",
    "ParticleBackground",
    "Redistribution",
    "Response",
    "Vignetting",
    "available",
]
