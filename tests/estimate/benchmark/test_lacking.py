"""Benchmarks of catalogs that lack something: rows are left out and named, or all is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icmass.catalog import Catalog
from icmass.config import TrainConfig
from icmass.errors import InputError
from icmass.estimate.benchmark import (
    Suite,
    notes,
    run_benchmark,
)
from icmass.estimate.benchmark.suites import TrainedRow
from icmass.estimate.training import run_folds
from tests.helpers.benchmarks import BARE, MULTIMODAL, PROFILE, TINY, N, kinds
from tests.helpers.masses import make_catalog


def refused(catalog: Catalog, path: Path, message: str, suite: Suite = TINY, **more: Any) -> None:
    """Assert that a benchmark is refused in one line, before it writes anything."""
    with pytest.raises(InputError, match=message) as found:
        run_benchmark(catalog, path, suite, **{"workers": 1, **more})
    assert "\n" not in str(found.value)
    assert not path.exists()


def test_a_bare_catalog(tmp_path, bare) -> None:
    quick = replace(TINY, networks={"profile": {"epochs": 1}}, rows=(PROFILE, MULTIMODAL))
    found = run_benchmark(bare, tmp_path / "out", quick, workers=1)
    assert kinds(found) == {
        "observed proxy": ["N_phot"],
        "regression": ["ridge-all-observables", "boosting-all-observables"],
        "network": ["profile"],
    }
    left_out = [line for line in notes(found) if line.startswith("Left out: ")]
    assert len(left_out) == 3
    assert left_out[0].startswith("Left out: clipped counts: images: must have pixels small enough")
    assert left_out[1].startswith("Left out: clipped counts to the centre: images: must have pix")
    assert left_out[2] == "Left out: bands and galaxies: the catalog has no galaxies."
    text = (tmp_path / "out" / "table.md").read_text()
    assert all(line in text for line in left_out)
    values = json.loads((tmp_path / "out" / "table.json").read_text())
    assert values["skipped"] == list(found.skipped)
    assert "Does the redshift leak?" not in text
    assert not (tmp_path / "out" / "runs" / "multimodal").exists()


def test_one_redshift(tmp_path) -> None:
    columns = {"redshift": np.full(N, 0.2), "exposure_s": np.full(N, 1600.0)}
    catalog = make_catalog(tmp_path / "catalog", N, spec=BARE, columns=columns)
    quick = replace(TINY, networks={"profile": {"epochs": 1}}, rows=(PROFILE,))
    found = run_benchmark(catalog, tmp_path / "out", quick, workers=1)
    assert {one.by for row in found.rows for one in row.by_bin} == {"log10_m500c"}
    few = catalog.select(np.arange(80))  # fewer than a redshift bin of its own needs
    quick = replace(quick, common={**TINY.common, "validation": 0.5})
    run_benchmark(few, tmp_path / "few", quick, workers=1)


def test_columns_of_galaxies_that_are_missing(tmp_path, bare, catalog) -> None:
    richness = TrainedRow(
        "richness", "with richness", {"network": "profile", "inputs": ["bands", "n_gal"]}
    )
    suite = replace(TINY, rows=(richness,))
    refused(bare, tmp_path / "out", "must have galaxies for every row of the suite tiny", suite)


def test_what_cannot_be_benchmarked(tmp_path, catalog, bare) -> None:
    path = tmp_path / "out"
    few = catalog.select(np.arange(6))
    message = "clusters: suite tiny must have at least 56; got 6. Give a larger catalog or a wider"
    refused(few, path, message, replace(TINY, folds=8))
    refused(catalog.select(np.arange(0)), path, "suite tiny must have at least 98; got 0. Give")
    coarse = replace(TINY, common={**TINY.common, "pixels": 32})
    refused(bare, path, "pixels: must divide the 16 x 16 pixels of the catalog; got 32", coarse)
    refused(catalog, path, "workers: must be at least 1; got 0", workers=0)
    refused(catalog, path, "scheduler: must be the address", workers=None, scheduler="nonsense")
    refused(catalog, path, "epochs: must be greater than or equal to 1", overrides={"epochs": 0})
    refused(catalog, path, "unknown key; did you mean 'epochs'", overrides={"epoch": 1})


def test_the_least_number_of_clusters_is_told(tmp_path, catalog) -> None:
    """Two to a halo: one halo fewer than what is told is refused, and what is told will do."""
    for folds, validation, least in ((2, 0.4, 96), (3, 0.4, 72), (8, 0.4, 56), (3, 0.3, 96)):
        suite = replace(TINY, folds=folds, common={**TINY.common, "validation": validation})
        fewer = catalog.select(np.arange(least - 2))
        message = f"clusters: suite tiny must have at least {least}; got {least - 2}. Give a larger"
        refused(fewer, tmp_path / "out", message, suite)
        config = TrainConfig.parse(suite.keys(PROFILE))
        run_folds(catalog.select(np.arange(least)), config)
        with pytest.raises(InputError, match="must hold at least 20 clusters"):
            run_folds(fewer, config)
    refused(catalog, tmp_path / "out", "at least 38,000; got 120", overrides={"validation": 1e-3})


def test_unknown_masses(tmp_path, bare) -> None:
    mass = bare.column("m500c_msun").copy()
    mass[4] = np.nan
    catalog = make_catalog(tmp_path / "catalog", N, spec=BARE, columns={"m500c_msun": mass})
    suite = replace(TINY, rows=(PROFILE,))
    refused(catalog, tmp_path / "out", "must know m500c_msun of every cluster", suite)
