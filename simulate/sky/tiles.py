"""Light that is the same everywhere on the sky: the field cut into squares.

A survey field is cut into squares of at most one degree; a pointed field into squares of about one
arcmin, over which the vignetting hardly changes. Squares at the rim of a round field reach over it:
photons that fall outside the field are dropped like all others.
"""

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.origin import Origin
from icmass.simulate.photons.emitters import Component, Emitters, Shape
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.view import ARCSEC_PER_RADIAN, View

__all__ = ["solid_angle_factor", "tile_field", "uniform_component"]

_LARGEST_ARCSEC = {"survey": 3600.0, "pointed": 60.0}


def solid_angle_factor(
    east_arcsec: NDArray[np.float64], north_arcsec: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solid angle on the sky per area of the tangent plane, cos^3 of the off-axis angle.

    At offsets `east_arcsec` and `north_arcsec` of any common shape, which the result has too.
    """
    squared = (east_arcsec**2 + north_arcsec**2) / ARCSEC_PER_RADIAN**2
    return (1.0 + squared) ** -1.5


def tile_field(view: View) -> Emitters:
    """Cover the field of `view` with squares.

    Returns
    -------
    Emitters
        With the solid angle of each square [arcmin^2] as norm: a spectrum per arcmin^2 shines from
        the whole field.
    """
    count = int(np.ceil(view.width_arcsec / _LARGEST_ARCSEC[view.mode] - 1e-6))
    side = view.width_arcsec / count
    centre = (np.arange(count) + 0.5) * side - view.width_arcsec / 2.0
    east, north = (grid.ravel() for grid in np.meshgrid(centre, centre))
    if view.mode == "pointed":
        nearest = [np.clip(np.abs(offset) - side / 2.0, 0.0, None) for offset in (east, north)]
        inside = np.hypot(*nearest) < view.width_arcsec / 2.0
        east, north = east[inside], north[inside]
    area_arcmin2 = (side / 60.0) ** 2 * solid_angle_factor(east, north)
    return Emitters.squares(east, north, side / 2.0, area_arcmin2)


def uniform_component(name: str, view: View, spectra: FoldedSpectra) -> Component:
    """Make a component of background that is the same everywhere.

    Parameters
    ----------
    name : str
        Of the component and its random stream.
    view : View
        Its field is covered.
    spectra : FoldedSpectra
        One spectrum, per arcmin^2.

    Returns
    -------
    Component
        Not spread by the mirrors, for uniform light stays uniform.
    """
    return Component(
        name=name,
        origin=Origin.BACKGROUND,
        emitters=tile_field(view),
        spectra=spectra,
        shape=Shape.SQUARE,
        psf=False,
    )
