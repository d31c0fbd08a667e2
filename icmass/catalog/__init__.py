"""The one schema that simulation, estimators and interpretation share, and the files that hold it.

It imports none of them.
"""

from icmass.catalog.catalog import Catalog
from icmass.catalog.changed import Change, ChangedCatalog
from icmass.catalog.channels import add_up
from icmass.catalog.columns import (
    COLUMNS,
    GALAXY_COLUMNS,
    KEY,
    REGION_COLUMNS,
    Column,
    Flag,
    RegionKind,
    expand,
)
from icmass.catalog.manifest import SCHEMA_VERSION, ShardRecord
from icmass.catalog.predictions import Predictions
from icmass.catalog.repairs import Problem
from icmass.catalog.shard_data import Failure, Ragged, ShardData, galaxy_rows, region_rows
from icmass.catalog.spec import Band, CatalogSpec, ImageGeometry

__all__ = [
    "COLUMNS",
    "GALAXY_COLUMNS",
    "KEY",
    "REGION_COLUMNS",
    "SCHEMA_VERSION",
    "Band",
    "Catalog",
    "CatalogSpec",
    "Change",
    "ChangedCatalog",
    "Column",
    "Failure",
    "Flag",
    "ImageGeometry",
    "Predictions",
    "Problem",
    "Ragged",
    "RegionKind",
    "ShardData",
    "ShardRecord",
    "add_up",
    "expand",
    "galaxy_rows",
    "region_rows",
]
