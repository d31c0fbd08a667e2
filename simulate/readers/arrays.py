"""Gas from plain arrays, for simulations that no reader knows; units ride along."""

from typing import Any, TypeAlias

import numpy as np
from astropy.cosmology import FLRW, Planck18
from astropy.units import Quantity
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError
from icmass.simulate.constants import (
    BOLTZMANN_KEV_PER_K,
    CM_PER_KPC,
    HYDROGEN_FRACTION,
    MSUN_G,
    PROTON_MASS_G,
)
from icmass.simulate.gas import Gas
from icmass.simulate.readers import plasma
from icmass.simulate.readers.assemble import Cuts
from icmass.simulate.readers.cluster import Where, cluster_gas
from icmass.simulate.readers.snapshot import GAS, Header, Snapshot
from icmass.units import to_value

__all__ = ["gas_from_arrays"]

Values: TypeAlias = ArrayLike | Quantity


class _ArraySnapshot(Snapshot):
    """Gas held in memory, in physical units."""

    remedy = "Give astropy quantities, or bare numbers in the units of the documentation."

    def __init__(self, source: str, header: Header, fields: dict[str, NDArray[Any]]) -> None:
        self.source = source
        self.header = header
        self.counts = {GAS: len(fields["position"])}
        self._fields = fields

    def has(self, kind: int, name: str) -> bool:
        return kind == GAS and name in self._fields

    def _load(self, kind: int, name: str) -> NDArray[Any]:
        return self._fields[name]


def gas_from_arrays(
    *,
    position: Values,
    mass: Values,
    density: Values | None = None,
    electron_density: Values | None = None,
    temperature: Values | None = None,
    kt: Values | None = None,
    internal_energy: Values | None = None,
    velocity: Values | None = None,
    metallicity: Values | None = None,
    smoothing: Values | None = None,
    electron_abundance: Values | None = None,
    hydrogen_fraction: Values = HYDROGEN_FRACTION,
    star_formation_rate: Values | None = None,
    center: Values | None = None,
    radius: float | Quantity | None = None,
    redshift: float | None = None,
    box: float | Quantity | None = None,
    cosmology: FLRW = Planck18,
    min_temperature_k: float | Quantity = 1e6,
    max_density: float | Quantity | None = None,
    source: str = "arrays",
) -> Gas:
    """Make gas of arrays, one entry per particle or cell, in physical units.

    Each array may be an astropy quantity or bare numbers in the unit named here; a single number
    stands for all particles.

    Parameters
    ----------
    position : array, shape (n, 3)
        [kpc], physical, in any frame.
    mass : array, shape (n,)
        Gas mass [Msun].
    density, electron_density : array, shape (n,)
        Gas density [g/cm^3] or n_e [cm^-3]; one of the two.
    temperature, kt, internal_energy : array, shape (n,)
        [K], [keV] or per unit mass [km^2/s^2]; one of the three.
    velocity : array, shape (n, 3), optional
        Peculiar velocity [km/s]; default at rest.
    metallicity : array, shape (n,), optional
        [solar]; default 0.3.
    smoothing : array, shape (n,), optional
        Radius at which the kernel ends [kpc]; default twice the radius of the particle's volume.
    electron_abundance : array, shape (n,), optional
        n_e / n_H; default fully ionised.
    hydrogen_fraction : array, shape (n,)
        Mass fraction of hydrogen.
    star_formation_rate : array, shape (n,), optional
        Gas with a positive rate is left out; any unit.
    center : array of 3, optional
        [kpc] in the frame of the positions; default by shrinking sphere.
    radius : float, optional
        Gas outside is left out [kpc].
    redshift : float, optional
        Where the observer sees the cluster.
    box : float, optional
        Side of a periodic box [kpc].
    cosmology : FLRW
        Default Planck 2018.
    min_temperature_k, max_density
        Cuts as in `load_gas`.
    source : str
        Name for messages and provenance.

    Returns
    -------
    Gas
        About the centre and the mean motion of the inner gas.

    Raises
    ------
    InputError
        If a unit or shape does not fit, or a value is not physical.
    NoPhotonsError
        If no gas is left.
    """
    _one_of(density=density, electron_density=electron_density)
    _one_of(temperature=temperature, kt=kt, internal_energy=internal_energy)
    place = np.asarray(to_value(position, "kpc", "position"))
    if place.ndim != 2 or place.shape[1] != 3 or len(place) == 0:
        raise InputError(f"position: must have shape (n, 3) with n > 0; got {place.shape}.")
    rate = getattr(star_formation_rate, "value", star_formation_rate)  # only its sign counts
    given = {
        "mass": (mass, "Msun"),
        "density": (density, "g/cm3"),
        "electron_density": (electron_density, "cm-3"),
        "temperature": (temperature, "K"),
        "kt": (kt, "keV"),
        "internal_energy": (internal_energy, "km2/s2"),
        "metallicity": (metallicity, ""),
        "smoothing": (smoothing, "kpc"),
        "electron_abundance": (electron_abundance, ""),
        "hydrogen_fraction": (hydrogen_fraction, ""),
        "star_formation_rate": (rate, ""),
    }
    fields = {
        name: _column(value, unit, name, (len(place),))
        for name, (value, unit) in given.items()
        if value is not None
    }
    fields["position"] = place
    fields["velocity"] = _column(
        0.0 if velocity is None else velocity, "km/s", "velocity", place.shape
    )
    header = Header(
        code="arrays",
        redshift=redshift or 0.0,  # how dense the universe is then tells whether a box repeats
        hubble=float(cosmology.h),
        cosmology=cosmology,
        box_kpc=None if box is None else float(to_value(box, "kpc", "box")),
        units_known=True,
        support_neighbours=plasma.CELL_NEIGHBOURS,
    )
    return cluster_gas(
        _ArraySnapshot(source, header, _as_stored(fields)),
        Where.checked(center, radius, redshift),
        Cuts.checked(min_temperature_k, max_density, False, None),
        overdensity=False,
    )


def _as_stored(fields: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Turn what users give into the fields and units of a `Snapshot`."""
    per_kpc3 = CM_PER_KPC**3 / MSUN_G
    if "density" in fields:
        fields["density"] = fields["density"] * per_kpc3
    else:
        hydrogen = fields["hydrogen_fraction"]
        electrons = fields.get("electron_abundance", plasma.ionised_electron_abundance(hydrogen))
        n_hydrogen = fields.pop("electron_density") / electrons  # cm^-3
        fields["density"] = PROTON_MASS_G * n_hydrogen / hydrogen * per_kpc3
    if "kt" in fields:
        fields["temperature"] = fields.pop("kt") / BOLTZMANN_KEV_PER_K
    if "metallicity" in fields:
        fields["metallicity"] = plasma.metal_fraction(
            fields["metallicity"], fields["hydrogen_fraction"]
        )
    return fields


def _one_of(**choices: Any) -> None:
    given = [name for name, value in choices.items() if value is not None]
    if len(given) != 1:
        raise InputError(f"{', '.join(choices)}: exactly one must be given; got {given or 'none'}.")


def _column(value: Any, unit: str, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Convert to one entry per particle, repeating a single number."""
    array = np.asarray(to_value(value, unit, name))
    if array.ndim == 0:
        return np.full(shape, float(array))
    if array.shape != shape:
        raise InputError(
            f"{name}: must have shape {shape}, one entry per position; got {array.shape}."
        )
    return array
