"""Observe a cluster with eROSITA: gas in, photons out.

    python examples/01_observe.py [SNAPSHOT]

Without a snapshot a synthetic cluster is observed.
"""

import sys

from icmass.simulate import Origin, default_cluster, load_gas, observe

gas = load_gas(sys.argv[1], redshift=0.1) if len(sys.argv) > 1 else default_cluster()
print(f"{len(gas):,} gas particles, M500c = {gas.info.halo.m500c_msun:.2e} Msun")

observation = observe(gas, "erosita", redshift=0.1, exposure=1600.0, nh=1e20, seed=1)
for origin in Origin:
    image = observation.image("soft", origin)
    print(f"{origin.name:>10}: {image.data.sum():,} photons in 0.5-1.2 keV")

profile = observation.profile("soft")
print("surface brightness [counts/s/arcmin^2], inside out:", profile.brightness[:5])

observation.write("observation", overwrite=True)
print("event file, images, spectra and quicklook.png are in ./observation")
