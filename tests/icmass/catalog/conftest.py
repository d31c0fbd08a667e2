from pathlib import Path

import pytest

from icmass.catalog import Catalog
from tests.helpers.catalogs import SPEC, shard_data


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """Three shards of five clusters; four cases of everything that may be stored."""
    catalog = Catalog.create(tmp_path / "catalog", SPEC)
    for shard in range(3):
        catalog.append(shard_data(first=100 * shard))
    return Catalog.open(catalog.path)
