"""Everything that shines, in one form: gas particles, point sources and patches of diffuse sky.

An emitter has a place and an extent on the sky, a spectrum picked from a table of folded spectra by
a fractional node and a mixing weight, and a norm. One kernel then draws the photons of all.
"""

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.origin import Origin
from icmass.simulate.photons.folded import FoldedSpectra

__all__ = ["Component", "Emitters", "Shape"]

Floats32 = NDArray[np.float32]


class Shape(IntEnum):
    """How the photons of an emitter are spread over its extent."""

    POINT = 0
    KERNEL = 1  # projected SPH kernel, extent is its support radius
    SQUARE = 2  # uniform, extent is half the side


@dataclass(frozen=True)
class Emitters:
    """Struct of arrays, one row per emitter, shape (n,) each.

    Attributes
    ----------
    east_arcsec, north_arcsec : float32
        Offset from the pointing.
    extent_arcsec : float32
        See `Shape`; zero for a point.
    energy_shift : float32
        Factor on the photon energies, 1 / (1 + v/c) for a velocity v away from the observer.
    node : float32
        Fractional index into the nodes of the spectra (temperature, photon index ...).
    mix : float32
        Weight of the second part of the spectra (metallicity); 0 where there is one part.
    norm : float64
        Factor that turns the rate of the spectra into counts/s on axis.
    """

    east_arcsec: Floats32
    north_arcsec: Floats32
    extent_arcsec: Floats32
    energy_shift: Floats32
    node: Floats32
    mix: Floats32
    norm: NDArray[np.float64]

    def __post_init__(self) -> None:
        for f in fields(self):
            dtype = np.float64 if f.name == "norm" else np.float32
            object.__setattr__(self, f.name, np.ascontiguousarray(getattr(self, f.name), dtype))

    def __len__(self) -> int:
        return len(self.norm)

    def columns(self) -> tuple[NDArray, ...]:
        """All arrays, shape (n,) each, in the order of the fields."""
        return tuple(getattr(self, f.name) for f in fields(self))

    @classmethod
    def empty(cls, count: int) -> "Emitters":
        """Room for `count` emitters that a kernel fills in."""
        dtypes = {f.name: np.float64 if f.name == "norm" else np.float32 for f in fields(cls)}
        columns: dict[str, NDArray] = {name: np.empty(count, t) for name, t in dtypes.items()}
        return cls(**columns)

    @classmethod
    def points(
        cls, east_arcsec: NDArray, north_arcsec: NDArray, node: NDArray, norm: NDArray
    ) -> "Emitters":
        """Point sources at rest with one spectral part.

        Parameters
        ----------
        east_arcsec, north_arcsec, node, norm : ndarray, shape (n,)
            As in the class.

        Returns
        -------
        Emitters
        """
        zero, one = np.zeros(len(norm), np.float32), np.ones(len(norm), np.float32)
        return cls(east_arcsec, north_arcsec, zero, one, node, zero, norm)

    @classmethod
    def squares(
        cls, east_arcsec: NDArray, north_arcsec: NDArray, half_side_arcsec: float, norm: NDArray
    ) -> "Emitters":
        """Patches of uniform sky that share one spectrum.

        Parameters
        ----------
        east_arcsec, north_arcsec : ndarray, shape (n,)
            Their middles.
        half_side_arcsec : float
            Half the side of all of them.
        norm : ndarray, shape (n,)
            As in the class.

        Returns
        -------
        Emitters
        """
        zero, one = np.zeros(len(norm), np.float32), np.ones(len(norm), np.float32)
        half_side = np.full_like(zero, half_side_arcsec)
        return cls(east_arcsec, north_arcsec, half_side, one, zero, zero, norm)


@dataclass(frozen=True)
class Component:
    """One kind of light in an observation.

    Attributes
    ----------
    name : str
        Such as "gas", "agn", "particles"; also the name of its random stream.
    origin : Origin
        What its photons are marked with.
    emitters : Emitters
        Who emits.
    spectra : FoldedSpectra
        What they emit, through the telescope.
    shape : Shape
        How photons are spread over the extent.
    psf : bool
        Whether the mirror spreads them; particles hit the detector directly, and uniform sky stays
        uniform.
    source_id : ndarray of int32, shape (n,), optional
        Row in the truth table from 1, for listed sources.
    """

    name: str
    origin: Origin
    emitters: Emitters
    spectra: FoldedSpectra
    shape: Shape
    psf: bool
    source_id: NDArray[np.int32] | None = None
