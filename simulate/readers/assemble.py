"""Cut the gas of a sphere to what can emit, and turn its fields into plasma quantities.

Cuts come in a fixed order, each counted, so that an empty result can say where it became empty.
"""

from dataclasses import dataclass, replace

import numpy as np
from astropy.units import Quantity
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.constants import (
    BOLTZMANN_KEV_PER_K,
    CM_PER_KPC,
    MSUN_G,
)
from icmass.simulate.gas import Census, Gas, GasInfo
from icmass.simulate.readers import checks, plasma
from icmass.simulate.readers.report import census_error, value_range
from icmass.simulate.readers.snapshot import GAS, Snapshot
from icmass.units import to_value

__all__ = ["DEFAULT_METALLICITY_SOLAR", "Cuts", "RawGas", "assemble"]

# Median outside cluster cores, 0.36 solar (Migkas et al. 2024), rounded to the customary value.
DEFAULT_METALLICITY_SOLAR = 0.3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cuts:
    """Which gas emits, and the metals to give it."""

    min_temperature_k: float
    max_density_g_cm3: float
    star_forming: bool
    metallicity_solar: float | None

    @classmethod
    def checked(
        cls,
        min_temperature_k: float | Quantity,
        max_density: float | Quantity | None,
        star_forming: bool,
        metallicity: float | None,
    ) -> "Cuts":
        """Validate the user's cuts.

        Parameters
        ----------
        min_temperature_k : float or Quantity
            Colder gas is left out; bare numbers are K.
        max_density : float or Quantity, optional
            Denser gas is left out; bare numbers are g/cm^3. None: no such cut.
        star_forming : bool
            Keep gas that forms stars.
        metallicity : float, optional
            One value for all gas, 0 to 20 solar; None: that of the snapshot.

        Returns
        -------
        Cuts

        Raises
        ------
        InputError
            If a value is outside its range, or a unit does not fit.
        """
        temperature = float(to_value(min_temperature_k, "K", "min_temperature_k"))
        density = (
            np.inf if max_density is None else float(to_value(max_density, "g/cm3", "max_density"))
        )
        if not temperature >= 0:
            raise InputError(f"min_temperature_k: must not be negative; got {temperature:g}.")
        if not density > 0:
            raise InputError(f"max_density: must be positive; got {density:g} g/cm^3.")
        if metallicity is not None and not 0 <= metallicity <= 20:
            raise InputError(f"metallicity: must be 0 to 20 solar; got {metallicity!r}.")
        return cls(temperature, density, star_forming, metallicity)


@dataclass(frozen=True)
class RawGas:
    """Gas inside the sphere, by its row in the file, before any cut.

    Shapes are (n,), of the positions (n, 3); positions are about the centre, all is physical.
    """

    rows: NDArray[np.int64]
    position_kpc: Floats
    mass_msun: Floats
    density_msun_kpc3: Floats

    def select(self, mask: NDArray[np.bool_]) -> "RawGas":
        """Return the rows that pass `mask`, shape (n,)."""
        return RawGas(
            self.rows[mask], self.position_kpc[mask], self.mass_msun[mask],
            self.density_msun_kpc3[mask],
        )  # fmt: skip


def assemble(snapshot: Snapshot, raw: RawGas, cuts: Cuts, info: GasInfo) -> Gas:
    """Make `Gas` of the particles inside the sphere.

    Parameters
    ----------
    snapshot : Snapshot
        Where the other fields are read from.
    raw : RawGas
        Gas inside the sphere.
    cuts : Cuts
        What to keep.
    info : GasInfo
        Source and halo; the census is added.

    Returns
    -------
    Gas

    Raises
    ------
    InputError
        If a field is missing or has impossible values.
    NoPhotonsError
        If no particle passes the cuts.
    """
    source = snapshot.source
    stages = [("read", snapshot.counts[GAS]), ("in the sphere", len(raw.rows))]
    checks.refuse_negative(snapshot, "density", raw.density_msun_kpc3, raw.rows, zero=True)
    if not cuts.star_forming:
        raw = raw.select(_quiet(snapshot, raw.rows))
        stages.append(("not star forming", len(raw.rows)))
    support = _support(snapshot, raw)
    hydrogen, electrons = _composition(snapshot, raw.rows)
    kt_kev = _temperature(snapshot, raw.rows, hydrogen, electrons)
    checks.refuse_absurd_temperature(snapshot, kt_kev / BOLTZMANN_KEV_PER_K)

    keep = kt_kev >= cuts.min_temperature_k * BOLTZMANN_KEV_PER_K
    stages.append((f"hotter than {cuts.min_temperature_k:g} K", int(keep.sum())))
    if np.isfinite(cuts.max_density_g_cm3):
        keep &= raw.density_msun_kpc3 * (MSUN_G / CM_PER_KPC**3) <= cuts.max_density_g_cm3
        stages.append(("below the density cut", int(keep.sum())))
    measure = plasma.emission_measure(raw.mass_msun, raw.density_msun_kpc3, hydrogen, electrons)
    keep &= measure > 0
    stages.append(("emitting", int(keep.sum())))
    if not keep.any():
        raise census_error(Census(tuple(stages)), source)

    electron_cm3 = plasma.electron_density(raw.density_msun_kpc3, hydrogen, electrons)[keep]
    raw = raw.select(keep)
    bulk = np.zeros(3) if info.halo is None else np.array(info.halo.velocity_kms)
    velocity = snapshot.read(GAS, "velocity")[raw.rows] - bulk
    metals = _metallicity(snapshot, raw.rows, cuts, np.broadcast_to(hydrogen, keep.shape)[keep])
    speed = np.sqrt(np.einsum("ij,ij->i", velocity, velocity))
    ranges = {
        "kT [keV]": value_range(kt_kev[keep]),
        "n_e [cm^-3]": value_range(electron_cm3),
        "Z [solar]": value_range(metals),
        "|v| [km/s]": value_range(speed),
    }
    extra = {**info.extra, "notes": snapshot.header.notes}
    extra["snapshot_redshift"] = snapshot.header.redshift
    return Gas(
        position_kpc=raw.position_kpc,
        velocity_kms=velocity,
        kt_kev=kt_kev[keep],
        metallicity_solar=metals,
        emission_measure_cm3=measure[keep],
        mass_msun=raw.mass_msun,
        smoothing_kpc=support[keep],
        info=replace(info, census=Census(tuple(stages), ranges), extra=extra),
    )


def _read_rows(snapshot: Snapshot, name: str, rows: NDArray[np.int64], *, zero: bool) -> Floats:
    """Read a field that must not be negative (nor zero, with `zero`) for the rows in question."""
    values = snapshot.read(GAS, name)[rows].astype(np.float64)
    checks.refuse_negative(snapshot, name, values, rows, zero=zero)
    return values


def _quiet(snapshot: Snapshot, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Gas that neither forms stars nor flies in a wind decoupled from its surroundings.

    SWIFT stores the last time of star formation as a negative rate, so that only the sign counts.
    """
    quiet = np.ones(len(rows), bool)
    for name in ("star_formation_rate", "wind_delay"):
        if snapshot.has(GAS, name):
            quiet &= snapshot.read(GAS, name)[rows] <= 0
        elif name == "star_formation_rate":
            snapshot.header.notes.append("star formation: no rates in the file; no gas cut for it")
    return quiet


def _support(snapshot: Snapshot, raw: RawGas) -> Floats:
    """Radius at which each kernel ends [kpc]."""
    if snapshot.has(GAS, "smoothing"):
        support = _read_rows(snapshot, "smoothing", raw.rows, zero=False)
        checks.refuse_absurd_kernel(snapshot, raw.mass_msun, raw.density_msun_kpc3, support)
        return support
    neighbours = snapshot.header.support_neighbours
    snapshot.header.notes.append(
        f"smoothing: none in the file; the kernel holds {neighbours:g} particles' or cells' volumes"
    )
    return plasma.support_from_volume(raw.mass_msun, raw.density_msun_kpc3, neighbours)


def _composition(
    snapshot: Snapshot, rows: NDArray[np.int64]
) -> tuple[Floats | float, Floats | float]:
    """Hydrogen mass fraction and n_e / n_H."""
    hydrogen: Floats | float = snapshot.header.hydrogen_fraction
    if snapshot.has(GAS, "hydrogen_fraction"):
        hydrogen = _read_rows(snapshot, "hydrogen_fraction", rows, zero=True)
        if (hydrogen > 1).any():
            raise InputError(
                f"{snapshot.source}: the field 'hydrogen_fraction' must be at most 1; got "
                f"{hydrogen.max():.4g}. It is not a mass fraction, or the file is damaged."
            )
    else:
        snapshot.header.notes.append(f"hydrogen: mass fraction {hydrogen:g} taken")
    if snapshot.has(GAS, "electron_abundance"):
        return hydrogen, _read_rows(snapshot, "electron_abundance", rows, zero=False)
    snapshot.header.notes.append("electrons: no abundance in the file; fully ionised gas taken")
    return hydrogen, plasma.ionised_electron_abundance(hydrogen)


def _temperature(
    snapshot: Snapshot,
    rows: NDArray[np.int64],
    hydrogen: Floats | float,
    electrons: Floats | float,
) -> Floats:
    """KT [keV] from the internal energy, or from a temperature where that is all there is."""
    if not snapshot.has(GAS, "internal_energy") and snapshot.has(GAS, "temperature"):
        return plasma.kt_from_temperature(_read_rows(snapshot, "temperature", rows, zero=False))
    energy = _read_rows(snapshot, "internal_energy", rows, zero=False)
    return plasma.kt_from_internal_energy(energy, plasma.mean_molecular_weight(hydrogen, electrons))


def _metallicity(
    snapshot: Snapshot, rows: NDArray[np.int64], cuts: Cuts, hydrogen: Floats
) -> Floats:
    """Metals relative to solar."""
    if cuts.metallicity_solar is not None:
        return np.full(len(rows), cuts.metallicity_solar)
    if snapshot.has(GAS, "metallicity"):
        fraction = _read_rows(snapshot, "metallicity", rows, zero=False)
        if (fraction > 1).any():
            raise InputError(
                f"{snapshot.source}: the field 'metallicity' must be a mass fraction; got up to "
                f"{fraction.max():.4g}. Give metallicity= in solar units instead."
            )
        return plasma.metallicity_solar(fraction, hydrogen)
    snapshot.header.notes.append(
        f"metallicity: none in the file; {DEFAULT_METALLICITY_SOLAR:g} solar taken"
    )
    return np.full(len(rows), DEFAULT_METALLICITY_SOLAR)
