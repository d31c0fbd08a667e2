"""The gas of a cluster after reading: what emits, where, and how it moves.

Nothing after a reader knows which code ran the simulation. Positions are physical kpc about the
centre, velocities km/s about the bulk motion; emission measure is n_e n_H V.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from astropy.cosmology import FLRW
from numpy.typing import NDArray

from icmass.errors import InputError

__all__ = ["Census", "Gas", "GasInfo", "Halo"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Halo:
    """Spherical-overdensity halo measured in a snapshot (physical units, no h).

    Masses and radii are NaN where the snapshot holds too little to measure them.
    """

    center_kpc: tuple[float, float, float]
    velocity_kms: tuple[float, float, float]
    m500c_msun: float
    r500c_kpc: float
    m200c_msun: float
    r200c_kpc: float
    total_mass: bool  # False when only gas was there and no overdensity could be measured


@dataclass(frozen=True)
class Census:
    """How many particles passed each cut, in order, and the range of what is left."""

    stages: tuple[tuple[str, int], ...]
    ranges: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    def first_empty(self) -> str | None:
        """Name of the first cut at which no particle was left; None where some are left."""
        return next((name for name, count in self.stages if count == 0), None)


@dataclass(frozen=True)
class GasInfo:
    """Where the gas came from."""

    source: str
    code: str
    cosmology: FLRW
    redshift: float | None = None
    halo: Halo | None = None
    census: Census | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Gas:
    """Struct of arrays, one row per gas particle or cell that can emit X-rays.

    Attributes
    ----------
    position_kpc : ndarray, shape (n, 3)
        Physical position about the centre.
    velocity_kms : ndarray, shape (n, 3)
        Peculiar velocity about the bulk motion of the cluster.
    kt_kev : ndarray, shape (n,)
        Temperature.
    metallicity_solar : ndarray, shape (n,)
        Metals relative to solar.
    emission_measure_cm3 : ndarray, shape (n,)
        n_e n_H V.
    mass_msun : ndarray, shape (n,)
        Gas mass.
    smoothing_kpc : ndarray, shape (n,)
        Radius at which the SPH kernel reaches zero (support radius).
    info : GasInfo
        Source, cosmology, halo, census.
    """

    position_kpc: Floats
    velocity_kms: Floats
    kt_kev: Floats
    metallicity_solar: Floats
    emission_measure_cm3: Floats
    mass_msun: Floats
    smoothing_kpc: Floats
    info: GasInfo

    def __post_init__(self) -> None:
        count = len(self.kt_kev)
        for name in self.array_names():
            array = np.ascontiguousarray(getattr(self, name), dtype=np.float64)
            shape = (count, 3) if name in ("position_kpc", "velocity_kms") else (count,)
            if array.shape != shape:
                raise InputError(f"gas.{name}: must have shape {shape}; got {array.shape}.")
            signed = array.ndim == 2
            object.__setattr__(self, name, array)
            # All at once first, since it is ten times faster than row by row.
            if np.isfinite(array).all() and (signed or not (array < 0).any()):
                continue
            bad = ~np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
            if not signed:
                bad |= array < 0
            raise InputError(
                f"gas.{name}: must be finite and not negative; {bad.sum()} of {count} rows are "
                f"not, the first is row {int(bad.argmax())}. Repair or drop these particles."
            )

    @staticmethod
    def array_names() -> tuple[str, ...]:
        """Names of the per-particle arrays."""
        return tuple(f.name for f in fields(Gas) if f.name != "info")

    def __len__(self) -> int:
        return len(self.kt_kev)

    def select(self, mask: NDArray[Any]) -> "Gas":
        """Return the particles that `mask` chooses, a mask of shape (n,) or an array of rows."""
        chosen = {name: getattr(self, name)[mask] for name in self.array_names()}
        return replace(self, **chosen)

    def radius_kpc(self) -> Floats:
        """Distance of each particle from the centre, shape (n,)."""
        return np.sqrt(np.einsum("ij,ij->i", self.position_kpc, self.position_kpc))
