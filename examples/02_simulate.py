"""Make a catalog of painted clusters and compare two proxies of their mass.

    python examples/02_simulate.py [CLUSTERS]

The same catalog is made by: icmass simulate -o catalog --clusters 200 --seed 1
"""

import sys

import numpy as np

from icmass.catalog import Catalog
from icmass.config import SimulateConfig
from icmass.simulate import simulate_catalog


def main() -> None:
    """Make the catalog, read it, fit two slopes."""
    clusters = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    simulate_catalog(SimulateConfig(clusters=clusters, seed=1), "catalog")

    catalog = Catalog.open("catalog")
    table = catalog.table(["redshift", "m500c_msun", "lx_0520_erg_s", "n_gal"])
    print(table[:5])

    ln_mass = np.log(table["m500c_msun"].to_value("Msun"))
    for name in ("lx_0520_erg_s", "n_gal"):
        slope, _ = np.polyfit(ln_mass, np.log(np.asarray(table[name], dtype=float)), 1)
        print(f"{name}: slope {slope:.2f}")

    image = catalog.images([0], bands=["soft"])
    gas = catalog.images([0], bands=["soft"], origins=["icm"])
    print(f"cluster 0 in 0.5-1.2 keV: {image.sum():,} photons, {gas.sum():,} of them of its gas")


# Worker processes import this script, and must not begin again.
if __name__ == "__main__":
    main()
