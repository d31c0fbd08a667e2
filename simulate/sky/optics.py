"""What light of the sky passes before it is counted: the gas of the Galaxy and the telescope.

Both are hashable, so that what was folded once is kept: the same sky is observed in many fields.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.emission.absorption import CrossSection, bin_transmission
from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.view import Mode, View

__all__ = ["Galaxy", "Optics"]

_ANY_WIDTH_ARCSEC = 3600.0


@dataclass(frozen=True)
class Galaxy:
    """Cold gas of the Galaxy in front of everything beyond it.

    Attributes
    ----------
    nh_cm2 : float
        Hydrogen column, >= 0.
    cross_section : CrossSection, optional
        Morrison & McCammon (1983) by default.

    Raises
    ------
    InputError
        If the column is negative or not finite.
    """

    nh_cm2: float
    cross_section: CrossSection | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.nh_cm2 < np.inf:
            raise InputError(f"nh: must be a column in cm^-2, at least 0; got {self.nh_cm2}.")

    def transmission(self, edges_kev: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the photons of each bin that passes, shape (n,), for `edges_kev` (n + 1,)."""
        return bin_transmission(edges_kev, self.nh_cm2, self.cross_section)


@dataclass(frozen=True)
class Optics:
    """What decides how a spectrum of the sky is folded.

    Attributes
    ----------
    instrument : Instrument
        Gives response and vignetting.
    mode : {"survey", "pointed"}
        Which of its responses.
    width_arcsec : float
        Of the field, which bounds the off-axis angles of a pointing; 0 for a survey, where they
        do not matter.
    """

    instrument: Instrument
    mode: Mode
    width_arcsec: float

    @classmethod
    def of(cls, view: View, instrument: Instrument) -> "Optics":
        """Return the optics of `view` through `instrument`."""
        return cls(instrument, view.mode, view.width_arcsec if view.mode == "pointed" else 0.0)

    @property
    def edges_kev(self) -> NDArray[np.float64]:
        """Energy bins of the response, shape (n_e + 1,)."""
        return self.instrument.response(self.mode).redistribution.energy_edges_kev

    def fold(self, photons: NDArray[np.float64], *, area: bool = True) -> FoldedSpectra:
        """Fold spectra: `photons`, shape (n_node, n_e), photons/s/cm^2 per bin and unit norm.

        Without `area` they are counts/s, and neither area nor vignetting applies.
        """
        view = View(0.0, 0.0, self.mode, self.width_arcsec or _ANY_WIDTH_ARCSEC)
        return FoldedSpectra.for_view(photons[:, None], self.instrument, view, area=area)
