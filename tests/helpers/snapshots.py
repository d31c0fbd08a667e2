"""A cluster with known answers, and writers that put it into the formats of simulation codes.

The truth is physical: kpc, km/s, Msun, keV. Each writer divides by the unit of its format, powers
of h and of the scale factor spelled out, so that a reader that forgets one is found out.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from astropy import constants, units
from astropy.cosmology import LambdaCDM

OMEGA_M, HUBBLE = 0.3, 0.7
COSMOLOGY = LambdaCDM(H0=100 * HUBBLE, Om0=OMEGA_M, Ode0=1 - OMEGA_M)
HYDROGEN = 0.76
STANDARD_BLOCKS = ("POS", "VEL", "ID", "MASS", "U", "RHO", "NE", "NH", "HSML", "SFR", "Z")


@dataclass(frozen=True)
class Truth:
    """A singular isothermal sphere of gas and dark matter, off the middle of its box."""

    redshift: float
    box_kpc: float
    center_kpc: np.ndarray
    velocity_kms: np.ndarray  # of the whole
    gas: dict[str, np.ndarray]
    dark: dict[str, np.ndarray]
    radius_kpc: float  # where the sphere ends
    mass_msun: float

    @property
    def scale_factor(self) -> float:
        return 1 / (1 + self.redshift)

    @property
    def critical(self) -> float:
        """Critical density [Msun/kpc^3]."""
        return COSMOLOGY.critical_density(self.redshift).to_value("Msun/kpc3")

    def overdensity_radius(self, contrast: float) -> float:
        """Where M r / R = 4 pi / 3 contrast critical r^3."""
        slope = self.mass_msun / self.radius_kpc
        return np.sqrt(3 * slope / (4 * np.pi * contrast * self.critical))

    def offsets(self, gas: np.ndarray) -> np.ndarray:
        step = gas - self.center_kpc
        return step - self.box_kpc * np.round(step / self.box_kpc)

    def emission_measure(self) -> np.ndarray:
        """n_e n_H V by astropy's units, step by step."""
        gas = self.gas
        rho = gas["density"] * units.Msun / units.kpc**3
        n_hydrogen = (gas["hydrogen"] * rho / constants.m_p).to("cm-3")
        volume = (gas["mass"] * units.Msun / rho).to("cm3")
        return (gas["electrons"] * n_hydrogen**2 * volume).to_value("cm-3")

    def internal_energy(self) -> np.ndarray:
        """(km/s)^2 of kT, with mu = 4 / (1 + 3 X + 4 X x_e)."""
        gas = self.gas
        mu = 4 / (1 + 3 * gas["hydrogen"] + 4 * gas["hydrogen"] * gas["electrons"])
        energy = 1.5 * gas["kt"] * units.keV / (mu * constants.m_p)
        return energy.to_value("km2/s2")


def make_truth(
    *,
    redshift: float = 0.25,
    gas_count: int = 600,
    dark_count: int = 1500,
    center: Sequence[float] = (0.31, 0.52, 0.67),
    box_kpc: float = 60_000.0,
    hydrogen: float = HYDROGEN,
    fully_ionised: bool = False,
    seed: int = 5,
) -> Truth:
    """Make the cluster; `center` is in units of the box. Without dark matter, gas alone."""
    rng = np.random.default_rng(seed)
    radius, mass = 2500.0, 6e14
    gas_share = 0.15 if dark_count else 1.0
    origin = np.array(center) * box_kpc
    bulk = np.array([300.0, -120.0, 45.0])

    def sphere(count: int, share: float) -> dict[str, np.ndarray]:
        distance = (np.arange(count) + 0.5) / count * radius  # M(<r) proportional to r
        direction = rng.normal(size=(count // 2 + 1, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        direction = np.stack([direction, -direction], axis=1).reshape(-1, 3)[:count]
        motion = rng.normal(0, 200, (count, 3))
        return {
            "distance": distance,
            "position": (origin + distance[:, None] * direction) % box_kpc,
            "velocity": bulk + motion - motion.mean(axis=0),
            "mass": np.full(count, share * mass / count),
        }

    gas = sphere(gas_count, gas_share)
    gas["density"] = gas_share * mass / (4 * np.pi * radius * gas["distance"] ** 2)
    gas["kt"] = 4.0 + 2 * gas["distance"] / radius
    gas["metals"] = np.linspace(0.002, 0.015, gas_count)
    gas["hydrogen"] = np.full(gas_count, hydrogen)
    full = (1 + hydrogen) / (2 * hydrogen)
    gas["electrons"] = (
        np.full(gas_count, full) if fully_ionised else np.linspace(1.1, 1.2, gas_count)
    )
    gas["support"] = np.cbrt(3 * 64 * gas["mass"] / (4 * np.pi * gas["density"]))
    gas["star_formation"] = np.zeros(gas_count)
    dark = sphere(dark_count, 1 - gas_share) if dark_count else {}
    return Truth(redshift, box_kpc, origin, bulk, gas, dark, radius, mass)


def gadget_units(truth: Truth) -> dict[str, float]:
    """What a number in a Gadget or AREPO file is multiplied by to become physical."""
    a, h = truth.scale_factor, HUBBLE
    return {
        "position": a / h,  # comoving kpc/h
        "velocity": np.sqrt(a),  # km/s sqrt(a)
        "mass": 1e10 / h,  # 1e10 Msun/h
        "density": 1e10 * h**2 / a**3,  # 1e10 Msun/h (comoving kpc/h)^-3
        "support": a / h,
    }


def gas_blocks(truth: Truth) -> dict[str, np.ndarray]:
    """Gadget's blocks of the gas in code units."""
    unit, gas = gadget_units(truth), truth.gas
    return {
        "POS": gas["position"] / unit["position"],
        "VEL": gas["velocity"] / unit["velocity"],
        "MASS": gas["mass"] / unit["mass"],
        "U": truth.internal_energy(),
        "RHO": gas["density"] / unit["density"],
        "NE": gas["electrons"],
        "NH": np.zeros(len(gas["mass"])),
        "HSML": gas["support"] / unit["support"],
        "SFR": gas["star_formation"],
        "Z": gas["metals"],
    }


def write_gadget_binary(
    path: Path,
    truth: Truth,
    *,
    version: int = 2,
    blocks: Sequence[str] = STANDARD_BLOCKS,
    endian: str = "<",
    dtype: str = "f4",
    files: int = 1,
    dark_mass_in_header: bool = False,
    replace: dict[str, np.ndarray] | None = None,
) -> Path:
    """Write format 1 or 2, as one file or as `path`.0, `path`.1, ..."""
    unit, dark = gadget_units(truth), truth.dark
    gas = {**gas_blocks(truth), **(replace or {})}
    for part in range(files):
        rows = slice(part, None, files)
        chosen = {name: values[rows] for name, values in gas.items()}
        dark_rows = {name: values[rows] for name, values in dark.items()}
        counts = [len(chosen["U"]), len(dark_rows.get("mass", ())), 0, 0, 0, 0]
        table = [0.0] * 6
        if dark_mass_in_header:
            table[1] = dark["mass"][0] / unit["mass"]
        header = struct.pack(
            endian + "6I6ddd2i6I2i4d2i",
            *counts, *table, truth.scale_factor, truth.redshift, int("SFR" in blocks), 0,
            len(gas["U"]), len(dark.get("mass", ())), 0, 0, 0, 0,
            int("NE" in blocks), files,
            truth.box_kpc / unit["position"], OMEGA_M, 1 - OMEGA_M, HUBBLE, 0, int("Z" in blocks),
        ).ljust(256, b"\0")  # fmt: skip
        data = _record("HEAD", header, version, endian)
        for name in blocks:
            data += _record(name, _block(name, chosen, dark_rows, unit, endian + dtype, table),
                            version, endian)  # fmt: skip
        target = path if files == 1 else Path(f"{path}.{part}")
        target.write_bytes(data)
    return path


def _block(
    name: str,
    gas: dict[str, np.ndarray],
    dark: dict[str, np.ndarray],
    unit: dict[str, float],
    dtype: str,
    table: list[float],
) -> bytes:
    if name == "ID":
        return (
            np.arange(len(gas["U"]) + len(dark.get("mass", ()))).astype(dtype[0] + "u4").tobytes()
        )
    values = [gas[name]] if name in gas else []
    field = {"POS": "position", "VEL": "velocity", "MASS": "mass"}.get(name)
    if field and dark and not (name == "MASS" and table[1]):
        values.append(dark[field] / unit[field])
    if name == "AGE":
        values = [np.full(7, 0.5)]  # of stars that are not there
    return np.concatenate(values).astype(dtype).tobytes()


def _record(name: str, data: bytes, version: int, endian: str) -> bytes:
    mark = struct.pack(endian + "I", len(data))
    label = b""
    if version == 2:
        label = struct.pack(endian + "I4sII", 8, name.ljust(4).encode(), len(data) + 8, 8)
    return label + mark + data + mark


def write_gadget_hdf5(
    path: Path,
    truth: Truth,
    *,
    flavour: str = "gadget4",
    files: int = 1,
    drop: Sequence[str] = (),
    header: dict[str, Any] | None = None,
    replace: dict[str, np.ndarray] | None = None,
) -> Path:
    """Write Gadget-4 (``gadget4``), IllustrisTNG (``tng``), SIMBA (``simba``) or EAGLE (``eagle``).

    `drop` and `replace` name datasets of the gas.
    """
    unit, dark = gadget_units(truth), truth.dark
    block = gas_blocks(truth)
    gas = {
        "Coordinates": block["POS"],
        "Velocities": block["VEL"],
        "Masses": block["MASS"],
        "Density": block["RHO"],
        "InternalEnergy": block["U"],
        "ElectronAbundance": block["NE"],
        "StarFormationRate": block["SFR"],
        **_metal_fields(flavour, truth),
    }
    if flavour != "tng":
        gas["SmoothingLength"] = block["HSML"]
    gas.update(replace or {})
    gas = {name: values for name, values in gas.items() if name not in drop}
    for part in range(files):
        target = path if files == 1 else Path(f"{path}.{part}.hdf5")
        with h5py.File(target, "w") as file:
            rows = slice(part, None, files)
            counts = np.zeros(6, int)
            for name, values in gas.items():
                file[f"PartType0/{name}"] = values[rows].astype("f4")
                counts[0] = len(values[rows])
            if dark:
                file["PartType1/Coordinates"] = dark["position"][rows] / unit["position"]
                file["PartType1/Velocities"] = dark["velocity"][rows] / unit["velocity"]
                counts[1] = len(dark["position"][rows])
            table = [0, dark["mass"][0] / unit["mass"] if dark else 0, 0, 0, 0, 0]
            attributes = {
                "NumPart_ThisFile": counts,
                "NumPart_Total": [len(block["MASS"]), len(dark.get("mass", ())), 0, 0, 0, 0],
                "NumFilesPerSnapshot": files,
                "MassTable": table,
                "BoxSize": truth.box_kpc / unit["position"],
                "Time": truth.scale_factor,
                "Redshift": truth.redshift,
                "Omega0": OMEGA_M,
                "OmegaLambda": 1 - OMEGA_M,
                "HubbleParam": HUBBLE,
                **(header or {}),
            }
            file.create_group("Header").attrs.update(attributes)
            _annotate(file, flavour)
    return path


def _metal_fields(flavour: str, truth: Truth) -> dict[str, np.ndarray]:
    metals, hydrogen = truth.gas["metals"], truth.gas["hydrogen"]
    if flavour == "tng":
        elements = np.column_stack([hydrogen, 1 - hydrogen - metals, metals])
        return {"GFM_Metallicity": metals, "GFM_Metals": elements}
    if flavour == "simba":  # all metals, helium, carbon, ...
        columns = np.zeros((len(metals), 11))
        columns[:, 0], columns[:, 1] = metals, 1 - hydrogen - metals
        return {"Metallicity": columns, "DelayTime": np.zeros(len(metals))}
    if flavour == "eagle":
        return {"Metallicity": metals, "ElementAbundance/Hydrogen": hydrogen}
    return {"Metallicity": metals}


def _annotate(file: h5py.File, flavour: str) -> None:
    """Attributes by which the codes describe their units."""
    sizes = {
        "UnitLength_in_cm": units.kpc.to("cm"),
        "UnitMass_in_g": 1e10 * units.Msun.to("g"),
        "UnitVelocity_in_cm_per_s": 1e5,
    }
    names = {"gadget4": ("a_scaling", "h_scaling"), "tng": ("a_scaling", "h_scaling"),
             "eagle": ("aexp-scale-exponent", "h-scale-exponent")}  # fmt: skip
    if flavour == "simba":
        return
    file["Header"].attrs.update(sizes)
    powers = {"Coordinates": (1, -1), "Velocities": (0.5, 0), "Masses": (0, -1),
              "Density": (-3, 2), "SmoothingLength": (1, -1), "InternalEnergy": (0, 0)}  # fmt: skip
    for dataset, values in powers.items():
        if dataset in file["PartType0"]:
            for name, value in zip(names[flavour], values, strict=True):
                file["PartType0"][dataset].attrs[name] = value


SWIFT_SUPPORT = 2.018932  # H / h
SWIFT_POWERS = {
    "Coordinates": 1.0,
    "Velocities": 0.0,
    "Masses": 0.0,
    "Densities": -3.0,
    "InternalEnergies": -2.0,
    "SmoothingLengths": 1.0,
    "MetalMassFractions": 0.0,
}


def write_swift(
    path: Path, truth: Truth, *, drop: Sequence[str] = (), physical: Sequence[str] = ()
) -> Path:
    """Write SWIFT: Mpc, 1e10 Msun, km/s, no h; datasets in `physical` carry no scale factor."""
    a, gas = truth.scale_factor, truth.gas
    values = {
        "Coordinates": gas["position"] / 1e3,
        "Velocities": gas["velocity"],
        "Masses": gas["mass"] / 1e10,
        "Densities": gas["density"] / 10,  # 1e10 Msun/Mpc^3
        "InternalEnergies": truth.internal_energy(),
        "SmoothingLengths": gas["support"] / 1e3 / SWIFT_SUPPORT,
        "MetalMassFractions": gas["metals"],
        "StarFormationRates": np.where(gas["star_formation"] > 0, 1.0, -0.5),  # -a of the last time
    }
    with h5py.File(path, "w") as file:
        for name, array in values.items():
            if name in drop:
                continue
            power = SWIFT_POWERS.get(name, 0.0)
            stored = array if name in physical else array / a**power
            dataset = file.create_dataset(f"PartType0/{name}", data=stored)
            dataset.attrs["a-scale exponent"] = [power]
            dataset.attrs["h-scale exponent"] = [0.0]
            dataset.attrs["Value stored as physical"] = [int(name in physical)]
        if truth.dark:
            file["PartType1/Coordinates"] = truth.dark["position"] / 1e3 / a
            file["PartType1/Velocities"] = truth.dark["velocity"]
            file["PartType1/Masses"] = truth.dark["mass"] / 1e10
            for name in ("Coordinates", "Velocities", "Masses"):
                file[f"PartType1/{name}"].attrs["a-scale exponent"] = [SWIFT_POWERS[name]]
        sizes = {
            "Unit length in cgs (U_L)": [units.Mpc.to("cm")],
            "Unit mass in cgs (U_M)": [1e10 * units.Msun.to("g")],
            "Unit time in cgs (U_t)": [units.Mpc.to("km")],
        }
        for name in ("Units", "InternalCodeUnits"):
            file.create_group(name).attrs.update(sizes)
        file.create_group("Cosmology").attrs.update(
            {"Cosmological run": [1], "h": [HUBBLE], "Omega_m": [OMEGA_M], "w_0": [-1.0],
             "Omega_lambda": [1 - OMEGA_M], "Redshift": [truth.redshift], "w_a": [0.0]}
        )  # fmt: skip
        file.create_group("HydroScheme").attrs.update(
            {"Hydrogen mass fraction": [gas["hydrogen"][0]], "Kernel gamma": [SWIFT_SUPPORT]}
        )
        header = {
            "BoxSize": [truth.box_kpc / 1e3 / a] * 3,
            "Redshift": [truth.redshift],
            "Time": [0.012],  # not the scale factor
            "NumFilesPerSnapshot": [1],
            "MassTable": [0.0] * 7,
            "NumPart_Total": [0] * 7,
        }
        file.create_group("Header").attrs.update(header)
    return path
