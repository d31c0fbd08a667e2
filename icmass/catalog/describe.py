"""The documentation page of the schema, written from the declaration."""

from collections.abc import Iterable
from typing import Final

from icmass.catalog.columns import (
    COLUMNS,
    FLAG_MEANINGS,
    GALAXY_COLUMNS,
    KEY,
    REGION_COLUMNS,
    Column,
)
from icmass.catalog.manifest import SCHEMA_VERSION

__all__ = ["schema_page"]

_TYPES: Final = {
    "i8": "int64",
    "u4": "uint32",
    "u1": "uint8",
    "f8": "float64",
    "f4": "float32",
    "?": "bool",
}

_INTRODUCTION: Final = """\
# The catalog

<!-- Written by icmass.catalog.describe from the declaration in icmass/catalog/columns.py:
     python -m icmass.catalog.describe > docs/catalog-schema.md -->

A catalog holds clusters as they are observed: one row per halo and line of sight, with what the
simulation knows (truth), what an observer knows (observable), images by band and origin,
galaxies, and where it all came from. Simulation, estimators and interpretation share this and
nothing else.

Masses are in Msun and lengths in kpc: **no unit holds the Hubble constant**. Lengths are physical
but for positions in the simulated box, which are comoving. A float that is not known is NaN, a
count is -1; a column that is not required may be absent from a catalog, but is then absent from
all of it.

```python
from icmass.catalog import Catalog

catalog = Catalog.open("catalog")
catalog.table(["redshift", "m500c_msun", "n_phot_500"])  # astropy QTable
near = catalog.select(catalog.column("redshift") < 0.2)  # a view
near.images([0, 1], bands=["soft"])  # (2, 1, 128, 128): what a telescope sees
near.images([0, 1], origins=["icm"])  # the gas alone
near.images([0, 1], apart=True)  # (2, 3, 3, 128, 128): origins apart
near.galaxies(0)["v_los_km_s"]
```

`Catalog.join(["one", "two"])` reads several catalogs of one kind as if they were one, and copies
nothing; `Catalog.concatenate(["one", "two"], "both")` writes a new one.

`icmass info catalog` prints it, `--plot FILE` draws it, `--validate` reads and checks all of it.
`catalog.export("catalog.fits")` writes the columns for other programs (also `.ecsv`, `.parquet`).

Estimators write what they say beside it, and any program can make a catalog:

```python
import numpy as np
from icmass.catalog import CatalogSpec, ShardData

n = len(catalog)
catalog.write_predictions("mine", mean=np.full(n, 33.0), std=np.full(n, 0.3))
catalog.table(["m500c_msun"], predictions=["mine"])

spec = CatalogSpec(optional_columns=("n_gal",), provenance={"seed": 1})
columns = {name: catalog.column(name) for name in spec.row_dtype.names}
counts = catalog.images(apart=True)  # (n, origin, band, y, x)
copy = Catalog.create("copy", spec)
copy.append(ShardData(columns, counts))  # one shard; a few hundred clusters are a good size
copy.validate()
```

## On the disk

```
catalog/
  manifest.json           schema version, bands, geometry, columns, provenance; shards and checksums
  shards/shard-000000.h5  a few hundred clusters each; written once, never changed
  predictions/NAME.h5     what an estimator says, with the key of each cluster
```

A shard appears under its name complete or not at all, and counts only once the manifest lists it;
a run that is killed at any moment leaves a catalog that opens. Shards that are damaged, missing or
of another catalog are told by name, and `icmass info CATALOG --repair` drops them. One run at a
time writes into a directory. Nothing depends on the clock: one configuration and seed give one
sequence of bytes.

Schema version {version}. A new optional column leaves it as it is; whatever changes what is stored
raises it and brings a function that reads the version before. Newer catalogs are refused.

## Images

In a shard `images/ORIGIN/` holds the counts of one origin (icm, agn, background; one name where
origins cannot be told apart, as on the real sky), all bands of a cluster in one flat (band, y, x)
array. Rows grow to the north, columns to the west. Most pixels are empty, so only the filled ones
are stored: `pixel[pixel_start[i]:pixel_start[i+1]]` are their places in cluster i and
`count[count_start[i]:count_start[i+1]]` their counts. Where most pixels are filled there are no
places, and a count for every pixel. Datasets are contiguous, to be mapped into memory.

`expectations` (origin, band, y, x) are the noise-free images, from which new photons can be drawn;
`exposure_maps` (y, x) are in s, vignetted. Both are optional.

"""


def schema_page() -> str:
    """Return the page as Markdown."""
    flags = "\n".join(f"| {f.value} | `{f.name}` | {text} |" for f, text in FLAG_MEANINGS.items())
    parts = [
        _INTRODUCTION.replace("{version}", str(SCHEMA_VERSION)),
        "## Columns\n\n`rows` of a shard. ",
        f"{', '.join(f'`{name}`' for name in KEY)} together name a row. ",
        "`{band}` stands for each band of the images; required columns are in bold.\n\n",
        _table(COLUMNS),
        "\n## Flags\n\n| bit | name | meaning |\n|---|---|---|\n" + flags + "\n",
        "\n## Galaxies\n\n`galaxies/rows` of all clusters; those of cluster i are from ",
        "`start[i]` to `start[i+1]`.\n\n",
        _table(GALAXY_COLUMNS),
        "\n## Regions\n\n`regions/rows`: what the image holds besides the main halo.\n\n",
        _table(REGION_COLUMNS),
    ]
    return "".join(parts)


def _table(columns: Iterable[Column]) -> str:
    lines = ["| name | unit | type | kind | meaning |", "|---|---|---|---|---|"]
    for c in columns:
        name = f"**`{c.name}`**" if c.required else f"`{c.name}`"
        lines.append(f"| {name} | {c.unit} | {_TYPES[c.dtype]} | {c.kind} | {c.meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(schema_page())
