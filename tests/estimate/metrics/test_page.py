"""docs/metrics.md names every metric, and its example does what it says."""

from pathlib import Path

import numpy as np
import pytest

from icmass.catalog import Catalog, CatalogSpec
from icmass.estimate.clipped_counts import clipped_counts
from icmass.estimate.metrics import (
    METRICS,
    Binning,
    Predictive,
    halo_numbers,
    metrics_table,
    reference_points,
    score,
)
from tests.helpers.catalogs import shard_data

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_explained(name):
    assert f"`{name}`" in PAGE.read_text()


def test_from_a_catalog_to_a_table(tmp_path):
    spec = CatalogSpec()
    catalog = Catalog.create(tmp_path / "catalog", spec)
    catalog.append(shard_data(spec, n=40))
    truth = np.log(catalog.column("m500c_msun"))
    said = truth + 0.2 * np.random.default_rng(1).standard_normal(40)
    catalog.write_predictions(
        "mine", said, np.full(40, 0.2), quantiles={0.16: said - 0.2, 0.84: said + 0.2}
    )
    found = Predictive.from_predictions(catalog.predictions("mine"))
    np.testing.assert_allclose(found.mean_std()[0], said, rtol=1e-12)
    np.testing.assert_allclose(found.mean_std()[1], 0.2, rtol=0.01)  # 84% is not quite one sigma
    scores = score(found, truth, reference_points(len(truth), truth.min(), truth.max(), seed=1))
    halo = halo_numbers(*(catalog.column(key) for key in ("sample_id", "snapshot_id", "halo_id")))
    by = {
        "ln M": Binning(truth, [31, 32, 33, 36]),
        "z": Binning(catalog.column("redshift"), [0, 1]),
    }
    table = metrics_table(scores, halo, by)
    assert table[0].n == 40
    assert table[0].n_halo == 20
    assert 0.1 < table[0].value["slope_scatter"] < 0.3
    assert 0.0 < table[0].error["slope_scatter"] < 0.1
    assert table[-1].by == "z"
    assert table[-1].value["bias"] == table[0].value["bias"]

    counts = clipped_counts(catalog)
    assert counts.features().shape == (40, 15)
    assert np.isfinite(np.log(counts.total())).all()
