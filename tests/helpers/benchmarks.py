"""A suite of seconds, and catalogs that it runs on."""

from pathlib import Path
from typing import Any

import numpy as np

from icmass.catalog import Catalog, ImageGeometry
from icmass.estimate.benchmark import (
    Suite,
    Table,
)
from icmass.estimate.benchmark.suites import TrainedRow
from tests.helpers.masses import make_catalog, mass_spec

__all__ = [
    "BARE",
    "LEAK",
    "MULTIMODAL",
    "PROFILE",
    "RELATIONS",
    "SEED",
    "SEEN",
    "TINY",
    "N",
    "full_catalog",
    "kinds",
]

SEEN = ["redshift", "exposure_s"]
PROFILE = TrainedRow(
    "profile", "profile, three bands", {"network": "profile", "inputs": ["bands", *SEEN]}
)
MULTIMODAL = TrainedRow(
    "multimodal",
    "bands and galaxies",
    {"network": "paper-multimodal", "inputs": ["bands", "galaxies"], "cube_cells": 8},
    paper=15.9,
)
LEAK = TrainedRow(
    "leak-given",
    "z given",
    {"network": "profile", "inputs": ["all", "redshift"], "equal_weight": True},
    leak_test=True,
)
TINY = Suite(
    "tiny",
    "tiny: for tests",
    folds=2,
    max_clusters=None,
    n_resamples=3,
    common={"pixels": 16, "validation": 0.4, "batch_size": 12, "schedule": "constant"},
    networks={"profile": {"epochs": 2}, "paper-multimodal": {"epochs": 1}},
    rows=(PROFILE, MULTIMODAL, LEAK),
)
BARE = mass_spec(galaxies=False, expectations=None, optional_columns=())
N = 120
SEED = 3

# Columns of proxies, with their value at 2e14 Msun, slope and scatter.
RELATIONS = {
    "kt_mass_weighted_kev": (3.0, 0.6, 0.07),
    "lx_bolometric_erg_s": (2e44, 1.4, 0.3),
    "gas_mass_msun": (2e13, 1.2, 0.1),
    "stellar_mass_msun": (4e12, 0.8, 0.1),
    "sigma_v_true_km_s": (500.0, 0.33, 0.12),
    "n_gal": (60.0, 0.9, 0.3),
    "sigma_v_clipped_km_s": (500.0, 0.33, 0.2),
    "n_phot_500": (200.0, 1.2, 0.3),
}


def full_catalog(path: Path, masses: Catalog, factor: np.ndarray | float = 1.0) -> Catalog:
    """Make a catalog with all proxies; stated masses are those of the images times a factor."""
    mass = masses.column("m500c_msun")
    rng = np.random.default_rng(5)
    columns: dict[str, Any] = {"m500c_msun": mass * factor}
    for name, (norm, slope, scatter) in RELATIONS.items():
        values = norm * (mass / 2e14) ** slope * np.exp(scatter * rng.normal(size=len(mass)))
        columns[name] = np.rint(values).astype(int) if name.startswith("n_") else values
    columns["dynamical_state"] = np.where(np.arange(len(mass)) % 9, rng.normal(size=N), np.nan)
    names = [*(name for name in RELATIONS if name != "n_phot_500"), "dynamical_state"]
    spec = mass_spec(
        expectations=None,
        geometry=ImageGeometry(64, 64, 52.0),
        optional_columns=("box_x_mpc", "box_y_mpc", "box_z_mpc", *names),
    )
    return make_catalog(path, N, spec=spec, columns=columns)


def kinds(table: Table) -> dict[str, list[str]]:
    """Return the names of the rows of a table, by their kind."""
    found: dict[str, list[str]] = {}
    for row in table.rows:
        found.setdefault(row.kind, []).append(row.name)
    return found
