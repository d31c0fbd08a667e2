"""Photoelectric absorption by cold Galactic gas: the fraction of photons that come through.

Cross sections are in cm^2 per hydrogen atom, column densities in hydrogen atoms cm^-2, energies in
keV as observed.
"""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from astropy.io import ascii as astropy_ascii
from numpy.typing import ArrayLike

from icmass.errors import InputError

__all__ = [
    "CrossSection",
    "bin_transmission",
    "morrison_mccammon",
    "require_columns",
    "transmission",
]

# Points at which the transmission is averaged inside a bin, and the largest bin that needs no more.
_POINTS_PER_BIN = 8
_COLUMNS_CM2 = (1e16, 1e26)  # whoever gives another means a logarithm, or XSPEC's unit


@dataclass(frozen=True, eq=False)
class CrossSection:
    """A user's cross section, interpolated in log energy and log cross section.

    Parameters
    ----------
    energy_kev : ndarray, shape (n,)
        Ascending; an absorption edge is given as two rows a little apart.
    sigma_cm2 : ndarray, shape (n,)
        cm^2 per hydrogen atom, positive.

    Raises
    ------
    InputError
        If the columns do not fit together, do not ascend or are not positive.
    """

    energy_kev: np.ndarray
    sigma_cm2: np.ndarray

    def __post_init__(self) -> None:
        for name in ("energy_kev", "sigma_cm2"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        energy, sigma = self.energy_kev, self.sigma_cm2
        if energy.ndim != 1 or energy.shape != sigma.shape or energy.size < 2:
            raise InputError(
                "cross section: must be two columns of equal length, two rows or more; "
                f"got shapes {energy.shape} and {sigma.shape}."
            )
        if not (np.isfinite(energy).all() and energy[0] > 0 and (np.diff(energy) > 0).all()):
            raise InputError("cross section: energy_kev must be positive, finite and ascending.")
        if not (np.isfinite(sigma).all() and (sigma > 0).all()):
            raise InputError("cross section: sigma_cm2 must be positive and finite.")

    @classmethod
    def load(cls, path: str | Path) -> "CrossSection":
        """Read two columns, energy_kev and sigma_cm2, from `path`, an ECSV or a plain text file.

        Raises
        ------
        InputError
            If the file is missing, has other columns or holds unusable values.
        """
        if not Path(path).is_file():
            raise InputError(f"{path}: must be a cross-section table; there is no such file.")
        try:
            table = astropy_ascii.read(path)
            if {"energy_kev", "sigma_cm2"} <= set(table.colnames):
                columns = [table["energy_kev"], table["sigma_cm2"]]
            elif table.colnames == ["col1", "col2"]:
                columns = [table["col1"], table["col2"]]
            else:
                raise InputError(f"got columns {', '.join(table.colnames)}")
            return cls(*(np.asarray(column, np.float64) for column in columns))
        except Exception as error:  # astropy raises many unrelated types for a file it cannot read
            raise InputError(
                f"{path}: must hold two columns, energy_kev and sigma_cm2 (cm^2 per hydrogen "
                f"atom); {error}"
            ) from error

    def __call__(self, energy_kev: np.ndarray) -> np.ndarray:
        """Cross section in cm^2 at each energy; energies outside the table are an error."""
        energy = np.asarray(energy_kev, np.float64)
        low, high = self.energy_kev[0], self.energy_kev[-1]
        outside = int((~((energy >= low) & (energy <= high))).sum())
        if outside:
            raise InputError(
                f"cross section: must cover every energy asked for; {outside} of {energy.size} lie "
                f"outside its {low:.4g}-{high:.4g} keV. Extend the table."
            )
        return np.exp(np.interp(np.log(energy), np.log(self.energy_kev), np.log(self.sigma_cm2)))


def morrison_mccammon(energy_kev: np.ndarray) -> np.ndarray:
    """Cross section of interstellar gas in cm^2 per hydrogen atom, in the shape of `energy_kev`.

    Piecewise (c0 + c1 E + c2 E^2) E^-3 1e-24 cm^2 of Morrison & McCammon (1983, ApJ 270, 119),
    fitted from 0.03 to 10 keV. The first and the last piece are continued beyond: below 0.03 keV
    nothing is seen through any column, above 10 keV nothing is absorbed by a Galactic one.
    """
    energy = np.asarray(energy_kev, np.float64)
    starts, coefficients = _pieces()
    piece = np.clip(np.searchsorted(starts, energy, "right") - 1, 0, starts.size - 1)
    c0, c1, c2 = np.moveaxis(coefficients[piece], -1, 0)
    clipped = np.maximum(energy, starts[0])  # the first piece turns negative below its start
    return (c0 + c1 * clipped + c2 * clipped**2) * energy**-3.0 * 1e-24


def require_columns(nh_cm2: ArrayLike, what: str) -> None:
    """Refuse numbers that can be no columns of hydrogen.

    Parameters
    ----------
    nh_cm2 : array_like, any shape
        In cm^-2: each 0, or 1e16 to 1e26.
    what : str
        What they are, for the message.

    Raises
    ------
    InputError
        If one is neither.
    """
    values = np.atleast_1d(np.asarray(nh_cm2, np.float64)).ravel()
    lowest, highest = _COLUMNS_CM2
    wrong = values[~((values == 0) | ((values >= lowest) & (values <= highest)))]
    if wrong.size:
        raise InputError(
            f"{what}: must be 0 or {lowest:g} to {highest:g}, in cm^-2 (such as 3e20; neither a "
            f"logarithm nor in 1e22 cm^-2); got {wrong[0]:g}."
        )


def transmission(
    energy_kev: np.ndarray, nh_cm2: float, cross_section: CrossSection | None = None
) -> np.ndarray:
    """Fraction of photons that pass a column of cold gas: exp(-n_H sigma(E)).

    Parameters
    ----------
    energy_kev : ndarray, any shape
        Observed energies, positive.
    nh_cm2 : float
        Hydrogen column density in cm^-2: 0, or 1e16 to 1e26.
    cross_section : CrossSection, optional
        Used instead of Morrison & McCammon (1983).

    Returns
    -------
    ndarray, shape of `energy_kev`

    Raises
    ------
    InputError
        If an energy is not positive, the column is none in cm^-2, or energies lie outside
        the user's cross section.
    """
    energy = np.asarray(energy_kev, np.float64)
    if not (np.isfinite(energy).all() and (energy > 0).all()):
        raise InputError("energy_kev: must be positive and finite.")
    require_columns(nh_cm2, "nh_cm2")
    if nh_cm2 == 0:
        return np.ones_like(energy)
    sigma = morrison_mccammon(energy) if cross_section is None else cross_section(energy)
    return np.exp(-nh_cm2 * sigma)


def bin_transmission(
    edges_kev: np.ndarray, nh_cm2: float, cross_section: CrossSection | None = None
) -> np.ndarray:
    """Mean transmission of each bin, sampled inside it: edges and steep cut-offs count.

    Parameters
    ----------
    edges_kev : ndarray, shape (n + 1,)
        Edges of the bins in observed energy, positive and ascending.
    nh_cm2, cross_section
        As for `transmission`, whose errors are raised.

    Returns
    -------
    ndarray, shape (n,)
    """
    edges = np.asarray(edges_kev, np.float64)
    steps = (np.arange(_POINTS_PER_BIN) + 0.5) / _POINTS_PER_BIN
    inside = edges[:-1, None] + np.diff(edges)[:, None] * steps
    return transmission(inside, nh_cm2, cross_section).mean(axis=1)


@lru_cache(maxsize=1)
def _pieces() -> tuple[np.ndarray, np.ndarray]:
    text = (files(__package__) / "data" / "morrison_mccammon_1983.toml").read_text()
    rows = np.array(tomllib.loads(text)["pieces"], np.float64)
    return rows[:, 0], rows[:, 1:]
