"""HDF5 snapshots: Gadget-3/4, AREPO, IllustrisTNG, CAMELS, SIMBA and other GIZMO, EAGLE, SWIFT.

Attributes decide wherever they are there: units of the file, powers of the scale factor of each
field, powers of h. Otherwise kpc/h, 1e10 Msun/h and km/s sqrt(a) are taken. h5py is used rather
than pynbody, which cannot open cut-outs without particle numbers.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.hdf5 import require_stored
from icmass.simulate.constants import CM_PER_KPC, HYDROGEN_FRACTION, MSUN_G
from icmass.simulate.readers.base_units import (
    FIELDS,
    GADGET_UNITS_NOTE,
    UNITS_REMEDY,
    BaseUnits,
    gadget_units,
    override_units,
)
from icmass.simulate.readers.checks import refuse_impossible_header
from icmass.simulate.readers.paths import snapshot_name
from icmass.simulate.readers.plasma import CELL_NEIGHBOURS
from icmass.simulate.readers.snapshot import (
    GAS,
    Header,
    Snapshot,
    build_cosmology,
    read_epoch,
    scaled,
)

__all__ = ["GadgetHdf5Snapshot"]

KINDS = 7  # SWIFT has sinks and neutrinos at the end
CM_PER_KM = 1e5

# Datasets that may hold a field, the first present counts.
NAMES: dict[str, tuple[str, ...]] = {
    "position": ("Coordinates",),
    "velocity": ("Velocities", "Velocity"),
    "mass": ("Masses", "Mass", "DynamicalMasses"),
    "density": ("Density", "Densities"),
    "internal_energy": ("InternalEnergy", "InternalEnergies"),
    "temperature": ("Temperature", "Temperatures"),
    "electron_abundance": ("ElectronAbundance",),
    "smoothing": ("SmoothingLength", "SmoothingLengths"),
    "star_formation_rate": ("StarFormationRate", "StarFormationRates"),
    "wind_delay": ("DelayTime",),
    "metallicity": ("GFM_Metallicity", "MetalMassFractions", "Metallicity"),
    "hydrogen_fraction": ("GFM_Metals", "ElementMassFractions", "ElementAbundance/Hydrogen"),
}
TOTAL_AND_HELIUM = "Metallicity"  # GIZMO: columns are all metals, helium, carbon, ...

SCALE_FACTOR_POWER = ("a-scale exponent", "a_scaling", "aexp-scale-exponent")
HUBBLE_POWER = ("h-scale exponent", "h_scaling", "h-scale-exponent")

SWIFT_QUARTIC_SUPPORT = 2.018932  # H / h of SWIFT's default kernel (Dehnen & Aly 2012, table 1)


class GadgetHdf5Snapshot(Snapshot):
    """Snapshot or cut-out in the HDF5 layout that Gadget began.

    Parameters
    ----------
    paths : sequence of Path
        All files of the snapshot.
    units : mapping, optional
        See `override_units`.
    """

    remedy = f"{UNITS_REMEDY}."

    def __init__(self, paths: Sequence[Path], units: Mapping[str, Any] | None = None) -> None:
        self.source = snapshot_name(paths)
        self._paths = paths
        self._with_files(self._read_structure)
        self.header = self._with_files(lambda files: self._read_header(files[0], units))

    def _with_files(self, work: Callable[[list[h5py.File]], Any]) -> Any:
        try:
            with contextlib.ExitStack() as stack:
                return work([stack.enter_context(h5py.File(path, "r")) for path in self._paths])
        except InputError:
            raise
        except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"{self.source}: must be a readable HDF5 snapshot; it is truncated or damaged "
                f"({reason}). Copy the file again."
            ) from error

    def _read_structure(self, files: list[h5py.File]) -> None:
        first = files[0]
        if "Header" not in first or not any(f"PartType{k}" in first for k in range(KINDS)):
            raise InputError(
                f"{self.source}: must be a snapshot with the groups Header and PartType0; got "
                f"{sorted(first)[:8]}. Give the snapshot, not a catalogue of haloes."
            )
        self._mass_table = np.zeros(KINDS)
        table = _floats(first["Header"], "MassTable")
        self._mass_table[: len(table)] = table
        self._holds: dict[int, dict[str, str]] = {}
        self.counts = {}
        for kind in range(KINDS):
            groups = [file[f"PartType{kind}"] for file in files if f"PartType{kind}" in file]
            groups = [group for group in groups if "Coordinates" in group]
            count = sum(len(group["Coordinates"]) for group in groups)
            if count:
                self.counts[kind] = count
                self._holds[kind] = _datasets(groups)
                for group in groups:
                    for dataset in {"Coordinates", *self._holds[kind].values()}:
                        require_stored(group[dataset])
        self._refuse_incomplete(first)

    def _refuse_incomplete(self, first: h5py.File) -> None:
        header = first["Header"].attrs
        cutout = any(key.startswith("Cutout") for key in header)
        total = _floats(first["Header"], "NumPart_Total")
        count = int(_floats(first["Header"], "NumFilesPerSnapshot").max(initial=1))
        have = sum(self.counts.values())
        if not cutout and count > len(self._paths) and total.sum() > have:
            raise InputError(
                f"{self.source}: the snapshot has {count} files; got {len(self._paths)}. "
                f"Give their folder or a pattern such as 'snap_099.*.hdf5'."
            )

    def _read_header(self, file: h5py.File, units: Mapping[str, Any] | None) -> Header:
        swift = "Cosmology" in file and "InternalCodeUnits" in file
        notes: list[str] = []
        places = [file[name] for name in ("Cosmology", "Header", "Parameters") if name in file]
        parameters = {
            "omega_m": _number(places, "Omega_m", "Omega0", "OmegaMatter"),
            "omega_l": _number(places, "Omega_lambda", "OmegaLambda"),
            "w0": _number(places, "w_0"),
            "wa": _number(places, "w_a"),
        }
        h, box = _number(places, "h", "HubbleParam"), _number(places, "BoxSize") or 0.0
        refuse_impossible_header(self.source, h, parameters["omega_m"] or 0.0, box)
        cosmology, hubble = build_cosmology(
            h or 0.0,
            {key: value for key, value in parameters.items() if value is not None},
            notes,
        )
        comoving = parameters["omega_m"] and _number(places, "Cosmological run") != 0
        redshift = read_epoch(_number(places, "Redshift"), _number(places, "Time"))
        redshift = redshift if comoving else 0.0
        self._base, known = self._find_units(file, swift, hubble)
        self._base = override_units(self._base, units, hubble)
        if not known and units is None:
            notes.append(GADGET_UNITS_NOTE)
        box *= self._base.length_kpc / (1 + redshift)
        scheme = [file["HydroScheme"]] if "HydroScheme" in file else []
        hydrogen = _number(scheme, "Hydrogen mass fraction")
        support = _number(scheme, "Kernel gamma") or SWIFT_QUARTIC_SUPPORT if swift else 1.0
        return Header(
            code=_code_name(file, swift, self._holds.get(GAS, {})),
            redshift=redshift,
            hubble=hubble,
            cosmology=cosmology,
            box_kpc=box if box > 0 else None,
            units_known=known,
            support_neighbours=CELL_NEIGHBOURS,
            support_factor=support,
            hydrogen_fraction=hydrogen or HYDROGEN_FRACTION,
            notes=notes,
        )

    def _find_units(self, file: h5py.File, swift: bool, hubble: float) -> tuple[BaseUnits, bool]:
        """Return the base units by the file's attributes, and whether it has any."""
        if swift:
            group = [file["InternalCodeUnits"] if "Units" not in file else file["Units"]]
            length_cm = _number(group, "Unit length in cgs (U_L)")
            mass_g = _number(group, "Unit mass in cgs (U_M)")
            time_s = _number(group, "Unit time in cgs (U_t)")
            velocity_cm_s = length_cm / time_s if length_cm and time_s else None
        else:
            group = [file[name] for name in ("Header", "Units", "Parameters") if name in file]
            length_cm = _number(group, "UnitLength_in_cm", "UnitLength_In_CGS")
            mass_g = _number(group, "UnitMass_in_g", "UnitMass_In_CGS")
            velocity_cm_s = _number(group, "UnitVelocity_in_cm_per_s", "UnitVelocity_In_CGS")
        base = gadget_units(hubble)
        if not (length_cm and mass_g and velocity_cm_s):
            return base, False
        return replace(
            base,
            length_kpc=length_cm / CM_PER_KPC * hubble ** self._power_of_h(file, "Coordinates"),
            mass_msun=mass_g / MSUN_G * hubble ** self._power_of_h(file, "Masses"),
            velocity_kms=velocity_cm_s / CM_PER_KM,
        ), True

    def _power_of_h(self, file: h5py.File, dataset: str) -> float:
        """Power of h in the unit of a dataset: -1 in Gadget's tradition unless attributes tell."""
        for kind in range(KINDS):
            if f"PartType{kind}/{dataset}" in file:
                found = _number([file[f"PartType{kind}/{dataset}"]], *HUBBLE_POWER)
                if found is not None:
                    return found
        return -1.0

    def has(self, kind: int, name: str) -> bool:
        """Tell whether a field called `name` is there for particles of one `kind`."""
        fixed_mass = name == "mass" and kind in self.counts and self._mass_table[kind] > 0
        return name in self._holds.get(kind, {}) or bool(fixed_mass)

    def _load(self, kind: int, name: str) -> NDArray[Any]:
        dataset = self._holds[kind].get(name)
        if dataset is None:
            factor = self._base.factor(FIELDS[name], self.header.scale_factor)
            return np.full(self.counts[kind], self._mass_table[kind] * factor, np.float32)
        if name == "hydrogen_fraction" and dataset == TOTAL_AND_HELIUM:
            return self._with_files(
                lambda files: 1 - _join(files, kind, dataset, 0) - _join(files, kind, dataset, 1)
            )
        column = None if name in ("position", "velocity") else 0
        power, values = self._with_files(
            lambda files: (
                _scale_factor_power(files, kind, dataset),
                _join(files, kind, dataset, column),
            )
        )
        field = FIELDS[name] if power is None else replace(FIELDS[name], scale_factor=power)
        factor = self._base.factor(field, self.header.scale_factor)
        return scaled(values, factor * (self.header.support_factor if name == "smoothing" else 1))

    def hint(self, kind: int, name: str) -> str:
        """Say which dataset is looked for as the field `name` of particles of one `kind`."""
        wanted = " or ".join(NAMES.get(name, (name,)))
        return f"PartType{kind}/{wanted} is looked for; take a cut-out that includes it."


def _datasets(groups: list[h5py.Group]) -> dict[str, str]:
    """Map each field to the dataset that holds it in every group."""
    found = {}
    for name, candidates in NAMES.items():
        for dataset in candidates:
            if all(dataset in group for group in groups):
                found[name] = dataset
                break
    if found.get("metallicity") == TOTAL_AND_HELIUM and groups[0][TOTAL_AND_HELIUM].ndim == 2:
        found.setdefault("hydrogen_fraction", TOTAL_AND_HELIUM)
    return found


def _join(files: list[h5py.File], kind: int, dataset: str, column: int | None) -> NDArray[Any]:
    """Read one dataset, or one column of it, from all files."""
    parts = []
    for file in files:
        if f"PartType{kind}/{dataset}" in file:
            stored = file[f"PartType{kind}/{dataset}"]
            if stored.dtype.kind not in "fiu":
                raise InputError(
                    f"{file.filename}: PartType{kind}/{dataset} must hold numbers; got "
                    f"{stored.dtype}. The file is damaged or of another format."
                )
            parts.append(
                stored[:, column] if stored.ndim == 2 and column is not None else stored[:]
            )
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _scale_factor_power(files: list[h5py.File], kind: int, dataset: str) -> float | None:
    """Power of the scale factor by the dataset's attributes, None where there are none."""
    stored = next(f for f in files if f"PartType{kind}/{dataset}" in f)[f"PartType{kind}/{dataset}"]
    if _number([stored], "Value stored as physical") == 1:
        return 0.0
    return _number([stored], *SCALE_FACTOR_POWER)


def _code_name(file: h5py.File, swift: bool, held: dict[str, str]) -> str:
    if swift:
        return "SWIFT"
    if held.get("metallicity") == "GFM_Metallicity":
        return "AREPO"
    if "Gravitational_Constant_In_Code_Inits" in file["Header"].attrs or "wind_delay" in held:
        return "GIZMO"
    return "Gadget HDF5"


def _floats(group: h5py.Group, name: str) -> NDArray[np.float64]:
    """Return an attribute as an array of floats, empty where it is missing."""
    return np.atleast_1d(np.asarray(group.attrs.get(name, ()), dtype=np.float64))


def _number(groups: Sequence[Any], *names: str) -> float | None:
    """Return the first attribute found, by name and then by place, as one number."""
    for name in names:
        for group in groups:
            if name in group.attrs:
                with contextlib.suppress(TypeError, ValueError):
                    return float(np.ravel(group.attrs[name])[0])
    return None
