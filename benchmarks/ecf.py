"""Energy conversion factors of eROSITA: published, with the real responses, with the embedded ones.

    python benchmarks/ecf.py --responses FOLDER

FOLDER holds the public files onaxis_tm0_arf_filter_2023-01-17.fits.gz and
onaxis_tm0_rmf_2023-01-17.fits.gz. Goals: real within 1% of the published values, embedded within 3%
of them and of the real ones for photon indices 1.5-2.5 and columns 1e19-1e22 cm^-2.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from icmass.simulate.emission.absorption import bin_transmission
from icmass.simulate.emission.powerlaw import powerlaw
from icmass.simulate.emission.spectrum import cie_spectrum
from icmass.simulate.instrument import Instrument
from icmass.simulate.instrument.ecf import energy_conversion_factor

Spectrum = Callable[[np.ndarray], np.ndarray]

# Photon index 2 behind 3e20 cm^-2, on axis, all modules: counts cm^2/erg published for eROSITA.
PUBLISHED = {(0.5, 2.0): 1.186e12, (0.2, 2.3): 1.071e12, (2.3, 5.0): 1.152e11}
INDICES = (1.5, 2.0, 2.5)
COLUMNS_CM2 = (1e19, 1e20, 3e20, 1e21, 3e21, 1e22)
TEMPERATURES_KEV = (0.7, 1.5, 3.0, 6.0, 10.0)


def absorbed_powerlaw(index: float, nh_cm2: float) -> Spectrum:
    return lambda edges: powerlaw(edges, index) * bin_transmission(edges, nh_cm2)


def plasma(kt_kev: float) -> Spectrum:
    return lambda edges: cie_spectrum(edges, kt_kev, 0.3, redshift=0.2, nh=3e20)


def print_published(real: Instrument, embedded: Instrument) -> None:
    print("Power law of index 2 behind 3e20 cm^-2, on axis, counts cm^2/erg")
    print(f"{'band [keV]':>10} {'published':>11} {'real':>11} {'':>7} {'embedded':>11}")
    spectrum = absorbed_powerlaw(2.0, 3e20)
    for band, published in PUBLISHED.items():
        a, b = factors(real, embedded, spectrum, band)
        print(
            f"{band[0]:g}-{band[1]:<6g} {published:13.3e} {a:11.3e} {a / published - 1:+7.2%} "
            f"{b:11.3e} {b / published - 1:+7.2%}"
        )


def print_grid(real: Instrument, embedded: Instrument) -> None:
    print("\nEmbedded over real, and the real factor's course with index and column")
    print(f"{'band [keV]':>10} {'index':>6}" + "".join(f"{nh:>16.0e}" for nh in COLUMNS_CM2))
    for band in PUBLISHED:
        for index in INDICES:
            cells = []
            for nh in COLUMNS_CM2:
                a, b = factors(real, embedded, absorbed_powerlaw(index, nh), band)
                cells.append(f"{a:9.3e} {b / a - 1:+6.2%}")
            print(f"{band[0]:g}-{band[1]:<6g} {index:8.1f}" + "".join(f"{c:>17}" for c in cells))


def print_plasma(real: Instrument, embedded: Instrument) -> None:
    print("\nPlasma of 0.3 solar at redshift 0.2 behind 3e20 cm^-2")
    print(f"{'band [keV]':>10} " + "".join(f"{kt:>13g} keV" for kt in TEMPERATURES_KEV))
    for band in PUBLISHED:
        cells = []
        for kt in TEMPERATURES_KEV:
            a, b = factors(real, embedded, plasma(kt), band)
            cells.append(f"{a:9.3e} {b / a - 1:+6.2%}")
        print(f"{band[0]:g}-{band[1]:<6g} " + "".join(f"{cell:>17}" for cell in cells))


def factors(
    real: Instrument, embedded: Instrument, spectrum: Spectrum, band: tuple[float, float]
) -> tuple[float, float]:
    a, b = (
        energy_conversion_factor(x.response("pointed"), spectrum, *band) for x in (real, embedded)
    )
    return a, b


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--responses", type=Path, required=True)
    folder = parser.parse_args().responses
    real = Instrument.from_ogip(
        arf=folder / "onaxis_tm0_arf_filter_2023-01-17.fits.gz",
        rmf=folder / "onaxis_tm0_rmf_2023-01-17.fits.gz",
    )
    embedded = Instrument.load("erosita")
    print_published(real, embedded)
    print_grid(real, embedded)
    print_plasma(real, embedded)


if __name__ == "__main__":
    main()
