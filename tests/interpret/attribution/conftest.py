"""A small catalog that every test of attributions looks at."""

import pytest

from icmass.catalog import Catalog
from tests.helpers.masses import make_catalog


@pytest.fixture(scope="package")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return make_catalog(tmp_path_factory.mktemp("attribution") / "catalog", 14)
