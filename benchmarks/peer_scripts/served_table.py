"""The plasma table as pyXSIM's generator of spectra: no download, the same photons for everyone.

pyXSIM asks an object of its class `CIEGenerator` for photons per bin of observed energy and per
n_e n_H V. This one reads a table at rest from a file and shifts it: the photons emitted between
E (1 + z) of the edges of a bin, divided by (1 + z) for time dilation. Only numpy is needed.

Energies and temperatures in keV; spectra in photons s^-1 cm^3 per bin.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["ServedTable", "received", "serve"]

Floats = np.ndarray


def received(edges_kev: Floats, rest_edges_kev: Floats, spectra: Floats, redshift: float) -> Floats:
    """Photons per bin of observed energy.

    Parameters
    ----------
    edges_kev : ndarray, shape (m + 1,)
        Edges of the observed bins.
    rest_edges_kev : ndarray, shape (n + 1,)
        Edges of the bins at rest; a bin is cut in proportion to energy.
    spectra : ndarray, shape (k, n)
        Photons emitted per bin at rest.
    redshift : float

    Returns
    -------
    ndarray, shape (k, m)
        Photons received per observed bin.
    """
    below = np.concatenate([np.zeros((len(spectra), 1)), np.cumsum(spectra, axis=1)], axis=1)
    at_rest = edges_kev * (1.0 + redshift)
    cut = np.array([np.interp(at_rest, rest_edges_kev, row) for row in below])
    return np.diff(cut, axis=1) / (1.0 + redshift)


class ServedTable:
    """Stands where pyXSIM and SOXS expect their generator; takes the arguments that they give."""

    path: Path  # of an .npz file with edges_kev, kt_kev, base, metal

    def __init__(
        self, model: str, emin: Any, emax: Any, nbins: int, binscale: str = "linear", **_: Any
    ) -> None:
        low, high = (float(getattr(value, "value", value)) for value in (emin, emax))
        make = np.geomspace if binscale == "log" else np.linspace
        self.ebins = make(low, high, nbins + 1)
        self.emid = 0.5 * (self.ebins[1:] + self.ebins[:-1])
        self.de = np.diff(self.ebins)
        self.nbins, self.binscale = nbins, binscale
        with np.load(self.path, allow_pickle=False) as table:
            self._rest_edges = table["edges_kev"]
            self._base, self._metal = table["base"], table["metal"]
            self.Tvals = table["kt_kev"]
        self.nT = self.Tvals.size
        self.var_elem_names: list[str] = []
        self.var_ion_names: list[str] = []
        self.atable = np.zeros(31)
        self.model_vers, self.model_root = "served", str(self.path)

    def _get_table(
        self, indices: list[int], redshift: float, velocity: float
    ) -> tuple[Floats, Floats, None]:
        """Spectra without metals and per solar metallicity, at the temperatures asked for."""
        base, metal = (
            received(self.ebins, self._rest_edges, part[indices], redshift)
            for part in (self._base, self._metal)
        )
        return base, metal, None


def serve(path: str | os.PathLike[str]) -> None:
    """Let pyXSIM and SOXS use the table in a file in place of those they would download."""
    import pyxsim.spectral_models
    import soxs.background.diffuse

    ServedTable.path = Path(path)
    pyxsim.spectral_models.CIEGenerator = ServedTable
    soxs.background.diffuse.ApecGenerator = ServedTable
