"""What every snapshot offers a reader: its header, its particle counts and its fields.

Fields come back in physical units whatever the file holds: kpc, km/s (peculiar), Msun, Msun/kpc^3,
(km/s)^2, K, mass fractions. Kinds of particles are numbered as in Gadget: 0 gas, 1-3 dark matter,
4 stars, 5 black holes.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy.cosmology import FLRW, LambdaCDM, Planck18, w0waCDM
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.constants import CM_PER_KPC, HYDROGEN_FRACTION, MSUN_G

__all__ = ["DARK", "GAS", "Header", "Snapshot", "build_cosmology", "read_epoch", "scaled"]

GAS = 0
DARK = (1, 2, 3)
Array = NDArray[Any]


@dataclass(frozen=True)
class Header:
    """What a snapshot says of itself.

    Attributes
    ----------
    code : str
        Simulation code or format.
    redshift : float
        Of the snapshot; 0 where the file is not cosmological.
    hubble : float
        H0 / (100 km/s/Mpc).
    cosmology : FLRW
        From the file, or Planck 2018 where it has none (then noted).
    box_kpc : float or None
        Physical side of the box; None where there is none.
    units_known : bool
        False where the units are those of the field because the file gives none.
    support_neighbours : float
        Particles' volumes in the kernel, 4 pi/3 H^3 rho / m, where smoothing lengths are missing.
    support_factor : float
        Radius at which the kernel ends, relative to the stored smoothing length.
    hydrogen_fraction : float
        Where no field gives it.
    notes : list of str
        Assumptions made, for the report.
    """

    code: str
    redshift: float
    hubble: float
    cosmology: FLRW
    box_kpc: float | None
    units_known: bool
    support_neighbours: float
    support_factor: float = 1.0
    hydrogen_fraction: float = HYDROGEN_FRACTION
    notes: list[str] = field(default_factory=list)

    @property
    def scale_factor(self) -> float:
        """1 / (1 + redshift)."""
        return 1 / (1 + self.redshift)

    @property
    def critical_msun_kpc3(self) -> float:
        """Critical density at the redshift of the snapshot, physical Msun/kpc^3."""
        critical = self.cosmology.critical_density(self.redshift).to_value("g/cm3")
        return float(critical * CM_PER_KPC**3 / MSUN_G)

    @property
    def matter_msun_kpc3(self) -> float:
        """Mean density of matter, comoving Msun/kpc^3."""
        critical = self.cosmology.critical_density0.to_value("g/cm3") * CM_PER_KPC**3 / MSUN_G
        return float(critical * self.cosmology.Om0)


class Snapshot(ABC):
    """One snapshot of any format."""

    source: str
    header: Header
    counts: dict[int, int]
    remedy: str  # what to do when values are absurd

    @abstractmethod
    def has(self, kind: int, name: str) -> bool:
        """Tell whether a field called `name` is there for particles of one `kind`."""

    @abstractmethod
    def _load(self, kind: int, name: str) -> Array:
        """Return a field in physical units, shape (n,) or (n, 3)."""

    def read(self, kind: int, name: str) -> Array:
        """Return a field in physical units, refusing one that is missing or not finite.

        Parameters
        ----------
        kind : int
            Of particles, as Gadget numbers them.
        name : str
            Of the field, among `FIELDS`.

        Returns
        -------
        ndarray, shape (n,), or (n, 3) of positions and velocities
            Units as in `FIELDS`, no h and no scale factor left in them.

        Raises
        ------
        InputError
            If the field is missing, cannot be read, has the wrong shape or holds NaN.
        """
        if not self.has(kind, name):
            raise InputError(
                f"{self.source}: must hold the field '{name}' of particle type {kind}; it does "
                f"not. {self.hint(kind, name)}"
            )
        values = self._load(kind, name)
        wanted = (
            (self.counts[kind], 3) if name in ("position", "velocity") else (self.counts[kind],)
        )
        if values.shape != wanted:
            raise InputError(
                f"{self.source}: the field '{name}' of particle type {kind} must have shape "
                f"{wanted}; got {values.shape}. The file is damaged or of another format."
            )
        if not np.isfinite(values.sum(dtype=np.float64)):
            bad = np.asarray(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
            raise InputError(
                f"{self.source}: the field '{name}' of particle type {kind} must be finite; "
                f"{bad.sum()} of {len(bad)} rows are not, the first is row {int(bad.argmax())}. "
                f"Repair or drop these particles. {self.remedy}"
            )
        return values

    def hint(self, kind: int, name: str) -> str:
        """Say what to do about a field `name` that is missing for particles of one `kind`."""
        return "Take a snapshot or cut-out that includes it."


def scaled(values: Array, factor: float) -> Array:
    """Multiply `values`, of any shape, by `factor` in place; single precision stays single.

    Integers, and numbers of another byte order or of half precision, become floats of their own.
    """
    if values.dtype.kind != "f" or not values.dtype.isnative or values.dtype.itemsize < 4:
        values = values.astype(np.float32 if values.dtype.itemsize == 4 else np.float64)
    if factor != 1.0:
        values *= values.dtype.type(factor)
    return values


def read_epoch(redshift: float | None, time: float | None) -> float:
    """Return the redshift of a snapshot, at least 0, from the `redshift` and `time` of its header.

    Without a redshift, a time between 0 and 1 is taken for the scale factor.

    Raises
    ------
    InputError
        If the redshift is not finite.
    """
    if redshift is None:
        redshift = 1 / time - 1 if time is not None and 0 < time <= 1 else 0.0
    if not np.isfinite(redshift):
        raise InputError(f"header: the redshift must be finite; got {redshift}. Is it a snapshot?")
    return max(float(redshift), 0.0) if redshift > -1e-3 else 0.0


def build_cosmology(
    hubble: float, parameters: Mapping[str, float], notes: list[str]
) -> tuple[FLRW, float]:
    """Make the cosmology of a header.

    Parameters
    ----------
    hubble : float
        H0 / (100 km/s/Mpc) of the header; 0 where it gives none.
    parameters : mapping
        ``omega_m``, ``omega_l`` and, where they are known, ``w0`` and ``wa``.
    notes : list of str
        Assumptions are added to it.

    Returns
    -------
    cosmology : FLRW
    hubble : float
        The one that units with /h are divided by: 1 where the header gives none.
    """
    omega_m = parameters.get("omega_m", 0.0)
    if not 0 < hubble < 3 or not 0 < omega_m <= 2:
        notes.append("cosmology: the file has none; Planck 2018 taken, lengths taken as physical")
        return Planck18, hubble if 0 < hubble < 3 else 1.0
    omega_l = parameters.get("omega_l", 1 - omega_m)
    w0, wa = parameters.get("w0", -1.0), parameters.get("wa", 0.0)
    if (w0, wa) == (-1.0, 0.0):
        return LambdaCDM(H0=100 * hubble, Om0=omega_m, Ode0=omega_l), hubble
    return w0waCDM(H0=100 * hubble, Om0=omega_m, Ode0=omega_l, w0=w0, wa=wa), hubble
