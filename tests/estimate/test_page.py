"""The example of docs/proxies.md does what it says."""

import numpy as np

from icmass.catalog import Catalog, CatalogSpec
from icmass.estimate.folds import catalog_folds
from icmass.estimate.proxies import OBSERVED, ProxySample
from icmass.estimate.search import score_sets
from tests.helpers.catalogs import SPEC, shard_data


def test_from_a_catalog_to_the_best_set(tmp_path) -> None:
    names = ("n_gal", "sigma_v_clipped_km_s")
    spec = CatalogSpec(optional_columns=names, geometry=SPEC.geometry)
    data = shard_data(spec, n=60)
    data.columns["redshift"] = np.where(np.arange(60) // 2 % 2, 0.1, 0.3)
    mass = data.columns["m500c_msun"] / 2e14
    scatter = np.exp(np.random.default_rng(1).normal(0.0, 0.2, (3, 60)))
    data.columns["sigma_v_clipped_km_s"] = 700.0 * mass**0.33 * scatter[0]
    data.columns["n_gal"] = (200 * mass * scatter[1]).astype(int)
    data.columns["n_phot_500"] = (2000 * mass * scatter[2]).astype(int)
    catalog = Catalog.create(tmp_path / "catalog", spec)
    catalog.append(data)

    sample = ProxySample.of(catalog.column, OBSERVED)
    scores = score_sets(sample, fold=catalog_folds(catalog), n_resamples=20)
    best = scores[0]
    assert len(scores) == 15
    assert best.names == tuple(OBSERVED)
    assert 0.05 < best.in_sample < best.cross_validated < 0.3
    assert 0.0 < best.in_sample_error < 0.05
