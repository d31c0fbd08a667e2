"""A small snapshot file of one round cluster, and the same with something wrong in it."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

__all__ = ["BOX", "COUNT", "write_snapshot"]

BOX = 20_000.0  # comoving kpc/h
COUNT = 2_000


def write_snapshot(
    path: Path,
    *,
    header: dict[str, Any] | None = None,
    gas: dict[str, Any] | None = None,
    drop: tuple[str, ...] = (),
) -> Path:
    """Write a Gadget-like HDF5 snapshot at z = 0.1 with gas of 5 keV about the middle of the box.

    Parameters
    ----------
    path : Path
        File to write.
    header, gas : dict, optional
        Attributes of the header and datasets of the gas to add or replace.
    drop : tuple of str
        Datasets of the gas to leave out.
    """
    rng = np.random.default_rng(7)
    radius = 1_000.0 * rng.random(COUNT) ** 0.8
    direction = rng.normal(size=(COUNT, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    mass = np.full(COUNT, 2.0)  # 1e10 Msun/h
    density = COUNT * mass[0] / (4 * np.pi * 0.8 * 1_000.0**1.25) * radius**-1.75
    fields = {
        "Coordinates": BOX / 2 + radius[:, None] * direction,
        "Velocities": rng.normal(0.0, 300.0, (COUNT, 3)),
        "Masses": mass,
        "Density": density,
        "InternalEnergy": np.full(COUNT, 1.2e6),  # (km/s)^2, 5 keV
        "ElectronAbundance": np.full(COUNT, 1.16),
        "SmoothingLength": 2.0 * (mass / density) ** (1 / 3),
        "Metallicity": np.full(COUNT, 0.006),
        **(gas or {}),
    }
    attributes = {
        "NumPart_Total": [COUNT, 0, 0, 0, 0, 0],
        "NumPart_ThisFile": [COUNT, 0, 0, 0, 0, 0],
        "MassTable": np.zeros(6),
        "NumFilesPerSnapshot": 1,
        "BoxSize": BOX,
        "Redshift": 0.1,
        "Time": 1 / 1.1,
        "HubbleParam": 0.7,
        "Omega0": 0.3,
        "OmegaLambda": 0.7,
        **(header or {}),
    }
    with h5py.File(path, "w") as file:
        file.create_group("Header").attrs.update(attributes)
        for name, values in fields.items():
            if name not in drop:
                file[f"PartType0/{name}"] = values
    return path
