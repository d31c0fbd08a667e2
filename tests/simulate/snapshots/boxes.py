"""Boxes with lopsided haloes of known place, mass and motion, and tables of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from tests.helpers.snapshots import Truth, make_truth

BLOB_KPC = np.array([700.0, -300.0, 150.0])  # where a fifth of the gas sits: no symmetry is left


def lopsided(**options: Any) -> Truth:
    """One halo with gas aside, as no mirror image or exchange of axes has it."""
    truth = make_truth(fully_ionised=True, **options)  # what SWIFT files are taken for
    position = truth.gas["position"].copy()
    position[::5] = (position[::5] + BLOB_KPC) % truth.box_kpc
    return replace(truth, gas={**truth.gas, "position": position})


def merged(*parts: Truth) -> Truth:
    """Put several haloes into one box; its own place and mass are those of the first."""

    def join(name: str) -> dict[str, np.ndarray]:
        dicts = [getattr(part, name) for part in parts]
        return {key: np.concatenate([d[key] for d in dicts]) for key in dicts[0]}

    return replace(parts[0], gas=join("gas"), dark=join("dark"))


def halo_rows(truths: Sequence[Truth], ids: Sequence[int] | None = None) -> Table:
    """Table of haloes in SWIFT's manner: comoving Mpc, Msun, physical Mpc, km/s, no h."""
    table = Table()
    table["id"] = np.arange(len(truths)) if ids is None else np.array(ids)
    centers = np.array([truth.center_kpc / truth.scale_factor / 1e3 for truth in truths])
    for axis, name in enumerate("xyz"):
        table[name] = centers[:, axis]
        table[name].unit = "Mpc"
        table[name].description = "comoving"
    for contrast in (500, 200):
        radius = np.array([truth.overdensity_radius(contrast) for truth in truths])
        mass = [t.mass_msun / t.radius_kpc * r for t, r in zip(truths, radius, strict=True)]
        table[f"M{contrast}c"] = np.array(mass)
        table[f"M{contrast}c"].unit = "solMass"
        table[f"R{contrast}c"] = radius / 1e3
        table[f"R{contrast}c"].unit = "Mpc"
        table[f"R{contrast}c"].description = "physical"
    velocity = np.array([truth.velocity_kms for truth in truths])
    for axis, name in enumerate(("vx", "vy", "vz")):
        table[name] = velocity[:, axis]
        table[name].unit = "km / s"
    return table


def write_rows(path: Path, table: Table) -> str:
    """Write a table as ECSV."""
    table.write(path, format="ascii.ecsv", overwrite=True)
    return str(path)
