"""Cells of the table, and the suites that are shipped."""

import json

import numpy as np
import pytest

from icmass.catalog import Catalog, CatalogSpec
from icmass.config import TrainConfig
from icmass.errors import InputError
from icmass.estimate.benchmark import COLUMNS, LEAK_COLUMNS, SUITES, Row, cells, suite_named
from icmass.estimate.metrics import MetricRow
from icmass.estimate.training import make_plan

# Scatter in ln M, %: Ho et al. 2023 (arXiv 2303.00005), as restated in reference/PAPER.md.
NETWORKS = {"paper-single": 17.8, "paper-multiband": 16.2, "paper-multimodal": 15.9}


def made_row(**value: float) -> Row:
    numbers = {
        "slope_scatter": 0.1784,
        "error_std": 0.15,
        "robust_half_width": 0.1449,
        "bias": -0.0002,
        "slope": 0.987,
        "low_end_bias": 0.0316,
        "high_end_bias": -0.12345,
        **value,
    }
    error = {"slope_scatter": 0.00321, "bias": float("nan")}
    metrics = MetricRow("all", np.nan, np.nan, 40, 20, numbers, error)
    nan = float("nan")
    empty = np.empty(0, [("mean", float)])
    return Row("a", "A", "network", "all", 0.178, nan, nan, 0.2, metrics, [], empty)


def test_cells_are_percent() -> None:
    heads = [head for head, _ in COLUMNS]
    found = dict(zip(heads, cells([made_row()])[0], strict=True))
    assert found == {
        "estimator": "A",
        "study": "17.8",
        "in sample": "-",
        "scatter": "17.8 ± 0.3",
        "per z": "20.0",
        "std of error": "15.0",
        "68%": "14.5",
        "bias": "0.0",
        "slope": "0.99",
        "low end": "3.2",
        "high end": "-12.3",
        "-ln p": "-",
        "CRPS": "-",
        "cov. 68": "-",
        "cov. 95": "-",
        "PIT p": "-",
    }
    more = made_row(nll=-0.512, crps=0.07654, coverage_68=0.683, coverage_95=0.9514, pit_ks=0.1)
    found = dict(zip(heads, cells([more])[0], strict=True))
    assert [found[h] for h in ("-ln p", "CRPS", "cov. 68")] == ["-0.51", "0.0765", "68.3"]
    assert found["cov. 95"] == "95.1"
    assert 0.0 < float(found["PIT p"]) < 1.0
    assert cells([made_row()], LEAK_COLUMNS) == [["A", "17.8 ± 0.3", "15.0", "0.0", "0.99"]]


def test_what_is_not_finite_is_null() -> None:
    values = made_row(nll=float("inf"), crps=float("nan")).numbers()
    assert values["nll"] is values["crps"] is values["pit_p_value"] is None
    assert values["bias_error"] is values["in_sample_scatter"] is None
    assert "null" in json.dumps(values, allow_nan=False)


# Suites


def test_unknown_suites() -> None:
    assert suite_named("cpu") is SUITES["cpu"]
    with pytest.raises(InputError, match="suite 'quik': is not known; did you mean 'quick'"):
        suite_named("quik")
    with pytest.raises(InputError, match="is not known; known: quick, cpu, paper"):
        suite_named("zzz")


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Catalog:
    """A catalog of the default bands and pixels, with galaxies, without clusters."""
    spec = CatalogSpec(galaxies=True, optional_columns=("n_gal", "sigma_v_clipped_km_s"))
    return Catalog.create(tmp_path_factory.mktemp("empty") / "catalog", spec)


@pytest.mark.parametrize("name", SUITES)
def test_shipped_suites(name: str, empty) -> None:
    suite = SUITES[name]
    assert suite.name == name
    assert suite.statement.startswith(f"{name}: ")
    assert len({row.name for row in suite.rows}) == len(suite.rows)
    assert len({row.label for row in suite.rows}) == len(suite.rows)
    for row in suite.rows:
        config = TrainConfig.parse(suite.keys(row))
        plan, inputs = make_plan(config, empty)
        assert config.folds == suite.folds
        assert config.origins == ["icm", "agn"]
        assert 0 < plan.epochs <= 200
        assert inputs.n_x in {32, 64, 128}
        assert row.leak_test == row.name.startswith("leak-")
    paper = {row.name: row.paper for row in suite.rows if row.paper is not None}
    assert paper == NETWORKS


def test_shipped_suites_are_the_studys_protocol() -> None:
    assert {name: suite.folds for name, suite in SUITES.items()} == {
        "quick": 3,
        "cpu": 8,
        "paper": 8,
    }
    paper = SUITES["paper"]
    for row in paper.rows[:3]:
        config = TrainConfig.parse(paper.keys(row))
        assert (config.pixels, config.cube_cells, config.max_clusters) == (None, 64, None)
        assert (config.epochs, config.batch_size, config.validation) == (None, None, 0.1)
