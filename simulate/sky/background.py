"""Particles: counts that never passed the mirrors.

Cosmic rays and the detector's own lines are spread evenly over the field, whatever the exposure is
called: no effective area, no vignetting, no point-spread function, only the redistribution.
"""

from functools import lru_cache

from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.sky.optics import Optics
from icmass.simulate.sky.tiles import uniform_component
from icmass.simulate.view import View

__all__ = ["particle_background"]


def particle_background(view: View, instrument: Instrument) -> Component:
    """Return the particle background of a field.

    Parameters
    ----------
    view : View
        Its field is covered evenly.
    instrument : Instrument
        Brings the spectrum, counts/s/arcmin^2 of all modules together.

    Returns
    -------
    Component
        Named "particles".
    """
    return uniform_component("particles", view, _folded(Optics.of(view, instrument)))


@lru_cache(maxsize=8)
def _folded(optics: Optics) -> FoldedSpectra:
    counts = optics.instrument.particle_background.spectrum(optics.edges_kev)
    return optics.fold(counts[None], area=False)
