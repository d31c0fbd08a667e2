"""Gas from a yt data source: any code and any mesh that yt reads (extra ``icmass[yt]``)."""

from typing import Any

import numpy as np
from astropy.cosmology import FLRW, Planck18
from astropy.units import Quantity
from numpy.typing import ArrayLike, NDArray

from icmass.errors import InputError, MissingDependencyError
from icmass.simulate.constants import HYDROGEN_FRACTION
from icmass.simulate.gas import Gas
from icmass.simulate.readers import plasma
from icmass.simulate.readers.arrays import gas_from_arrays
from icmass.simulate.readers.snapshot import build_cosmology

__all__ = ["gas_from_yt"]

AXES = "xyz"


def gas_from_yt(
    source: Any,
    *,
    center: ArrayLike | Quantity | None = None,
    radius: float | Quantity | None = None,
    redshift: float | None = None,
    cosmology: FLRW | None = None,
    metallicity: float | None = None,
    min_temperature_k: float | Quantity = 1e6,
    max_density: float | Quantity | None = None,
) -> Gas:
    """Make gas of the particles or cells in a yt data source.

    The fields ``("gas", ...)`` are used: x, y, z, density, mass, temperature; when they are there
    velocity_x, _y, _z, metallicity, El_number_density, H_nuclei_density, smoothing_length,
    star_formation_rate.

    Parameters
    ----------
    source : yt data container or dataset
        A sphere, a region, ``ds.all_data()``; a dataset stands for all its data.
    center : array_like of shape (3,) or Quantity, optional
        As in `load_gas`: physical kpc in the frame of the dataset.
    radius : float or Quantity, optional
        As in `load_gas`: physical kpc.
    redshift : float, optional
        Where the observer sees the cluster; default that of the dataset.
    cosmology : FLRW, optional
        Default that of the dataset, or Planck 2018.
    metallicity : float, optional
        [solar] for all gas instead of the dataset's. Numbers in yt's unit ``Zsun`` are taken as
        they are; others are mass fractions.
    min_temperature_k, max_density : float or Quantity
        Cuts as in `load_gas`.

    Returns
    -------
    Gas

    Raises
    ------
    MissingDependencyError
        If yt is not installed.
    InputError
        If the source is no yt object, or lacks a field.
    NoPhotonsError
        If no gas is left.
    """
    _require_yt()
    container = source.all_data() if hasattr(source, "all_data") else source
    dataset = getattr(container, "ds", None)
    if dataset is None:
        raise InputError(
            f"source: must be a yt dataset or data container; got {type(source).__name__}. "
            f"Make one with yt.load(...).sphere(center, radius)."
        )
    fields = _Fields(container)
    notes: list[str] = []
    cosmological = bool(dataset.cosmological_simulation)
    if cosmology is None and cosmological:
        cosmology, _ = build_cosmology(
            float(dataset.hubble_constant),
            {"omega_m": float(dataset.omega_matter), "omega_l": float(dataset.omega_lambda)},
            notes,
        )
    if redshift is None and cosmological and dataset.current_redshift > 0:
        redshift = float(dataset.current_redshift)
    moving = [axis for axis in AXES if fields.has(f"velocity_{axis}")]
    hydrogen, electrons = fields.composition()
    return gas_from_arrays(
        position=np.column_stack([fields.get(axis, "kpc") for axis in AXES]),
        velocity=np.column_stack([fields.get(f"velocity_{axis}", "km/s") for axis in AXES])
        if moving
        else None,
        mass=fields.get("mass", "Msun"),
        density=fields.get("density", "g/cm**3"),
        temperature=fields.get("temperature", "K"),
        metallicity=fields.metallicity(hydrogen) if metallicity is None else metallicity,
        smoothing=fields.optional("smoothing_length", "kpc"),
        electron_abundance=electrons,
        hydrogen_fraction=hydrogen,
        star_formation_rate=fields.optional("star_formation_rate", None),
        center=center,
        radius=radius,
        redshift=redshift,
        box=float(dataset.domain_width[0].to_value("kpc")) if cosmological else None,
        cosmology=cosmology or Planck18,
        min_temperature_k=min_temperature_k,
        max_density=max_density,
        source=f"yt {dataset}",
    )


class _Fields:
    """The gas fields of a container as plain arrays."""

    def __init__(self, container: Any) -> None:
        self._container = container
        self._names = set(container.ds.derived_field_list)

    def has(self, name: str) -> bool:
        return ("gas", name) in self._names

    def get(self, name: str, unit: str | None) -> NDArray[Any]:
        if not self.has(name):
            raise InputError(
                f"source: must have the yt field ('gas', '{name}'); it does not. Add it with "
                f"ds.add_field, or give arrays to gas_from_arrays."
            )
        values = self._container["gas", name]
        return np.array(values.d if unit is None else values.to_value(unit))

    def optional(self, name: str, unit: str | None) -> NDArray[Any] | None:
        return self.get(name, unit) if self.has(name) else None

    def metallicity(self, hydrogen: NDArray[Any] | float) -> NDArray[Any] | None:
        """Metals in solar units."""
        if not self.has("metallicity"):
            return None
        values = self._container["gas", "metallicity"]
        if str(values.units) == "Zsun":
            return np.array(values.d)
        return plasma.metallicity_solar(np.array(values.to_value("dimensionless")), hydrogen)

    def composition(self) -> tuple[NDArray[Any] | float, NDArray[Any] | None]:
        """Hydrogen mass fraction, and n_e / n_H where the dataset knows its electrons."""
        hydrogen: NDArray[Any] | float = HYDROGEN_FRACTION
        if self.has("H_fraction"):
            hydrogen = self.get("H_fraction", "dimensionless")
        if not (self.has("El_number_density") and self.has("H_nuclei_density")):
            return hydrogen, None
        electrons = self.get("El_number_density", "cm**-3")
        return hydrogen, electrons / self.get("H_nuclei_density", "cm**-3")


def _require_yt() -> None:
    try:
        import yt  # noqa: F401, PLC0415 - optional, and slow to import
    except ImportError as error:
        raise MissingDependencyError(
            "yt: must be installed for yt data sources; it is not. Run: pip install 'icmass[yt]'"
        ) from error
