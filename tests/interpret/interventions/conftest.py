from dataclasses import replace

import pytest

from icmass.catalog import Catalog, CatalogSpec, ImageGeometry
from tests.helpers.catalogs import SPEC, shard_data
from tests.helpers.masses import make_catalog


@pytest.fixture(scope="session")
def clusters(tmp_path_factory) -> Catalog:
    """Square images, gas that follows mass, two lines of sight of each halo; read only."""
    return make_catalog(tmp_path_factory.mktemp("clusters") / "catalog", 80)


@pytest.fixture(scope="session")
def odd(tmp_path_factory) -> Catalog:
    """Images of 12 x 10 pixels, one with a deep background; read only."""
    catalog = Catalog.create(tmp_path_factory.mktemp("odd") / "catalog", SPEC)
    catalog.append(shard_data(n=7))
    return catalog


@pytest.fixture
def arcsec_spec() -> CatalogSpec:
    """Images in arcsec, not square."""
    return replace(SPEC, geometry=ImageGeometry(n_y=41, n_x=31, pixel=20.0, unit="arcsec"))
