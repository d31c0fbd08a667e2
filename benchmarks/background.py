"""Rates of a blank field against those measured on eFEDS, and the fit of the Galactic foreground.

The measured rates are of real images with all detected sources masked, so the blank field here is:
particles, foreground, and the extragalactic background without the AGN above the flux limit of
eFEDS; no AGN are drawn. Counts/s/deg^2 per unvignetted second, seven modules, survey average.

    python benchmarks/background.py [--arf FILE --rmf FILE] [--fit] [--json FILE]

Without files the responses in ../shared/data/erosita are used, where they are.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icmass.simulate.constants import ERG_PER_KEV
from icmass.simulate.instrument import Instrument
from icmass.simulate.photons.emitters import Component
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.sky import extragalactic, foreground, particle_background
from icmass.simulate.sky.diffuse import extragalactic_spectrum, foreground_spectrum
from icmass.simulate.sky.literature import literature
from icmass.simulate.sky.optics import Galaxy
from icmass.simulate.view import View

BANDS_KEV = [(0.3, 0.6), (0.6, 1.1), (1.1, 1.6), (1.6, 2.2), (2.2, 3.5), (3.5, 5.0), (5.0, 7.0)]
# Measured on eFEDS images, sources masked, +-3%.
EFEDS_RATE = np.array([3.72, 3.23, 2.10, 1.64, 2.28, 2.53, 3.12])
# Detected sources reach 6.5e-15 erg/s/cm^2, 0.5-2 keV (Brunner et al. 2022, A&A 661, A1).
EFEDS_FLUX_LIMIT = 6.5e-15
# Galactic column of the field, HI4PI: 2-5e20 cm^-2.
EFEDS_NH_CM2 = 3e20
DEG2 = View(136.0, 1.5, "survey", 3600.0)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "erosita"

Floats = NDArray[np.float64]


def band_rates(component: Component) -> Floats:
    """Counts/s of a component in each band."""
    return np.array([expected_counts(component, 1.0, band).sum() for band in BANDS_KEV])


def blank_field(instrument: Instrument) -> dict[str, Floats]:
    """Rates of each component of the blank field, counts/s/deg^2."""
    parts = [
        particle_background(DEG2, instrument),
        foreground(DEG2, instrument, EFEDS_NH_CM2),
        extragalactic(DEG2, instrument, EFEDS_NH_CM2, EFEDS_FLUX_LIMIT),
    ]
    return {part.name: band_rates(part) for part in parts}


def fit_foreground(instrument: Instrument) -> Floats:
    """Norms per arcmin^2 of the foreground components that leave the smallest relative residuals.

    Only the four bands below 2.2 keV are fitted: above, there is no Galactic foreground.
    """
    from scipy.optimize import nnls

    parts = blank_field(instrument)
    left = EFEDS_RATE - parts["particles"] - parts["extragalactic"]
    response = instrument.response("survey")
    edges_kev = response.redistribution.energy_edges_kev
    spectra = foreground_spectrum(edges_kev, Galaxy(EFEDS_NH_CM2)) * 3600.0
    design = np.stack([spectra @ response.band_area_cm2(*band) for band in BANDS_KEV[:4]])
    weight = 1.0 / EFEDS_RATE[:4]
    factor, _ = nnls(design * weight[:, None], left[:4] * weight)
    norms = [plasma["norm_per_arcmin2"] for plasma in literature("diffuse")["foreground"]]
    return factor * np.array(norms)


def sky_flux(lo_kev: float, hi_kev: float, flux_limit: float) -> float:
    """Flux of foreground and extragalactic light of AGN below a limit, erg/s/cm^2/deg^2."""
    edges_kev = np.geomspace(lo_kev, hi_kev, 401)
    galaxy = Galaxy(EFEDS_NH_CM2)
    photons = foreground_spectrum(edges_kev, galaxy).sum(axis=0)
    photons = photons + extragalactic_spectrum(edges_kev, galaxy, flux_limit)
    energy_kev = np.sqrt(edges_kev[1:] * edges_kev[:-1])
    return 3600.0 * ERG_PER_KEV * float(photons @ energy_kev)


def print_table(title: str, parts: dict[str, Floats]) -> Floats:
    """Print the rates of one instrument and return the ratios to eFEDS."""
    total = np.sum(list(parts.values()), axis=0)
    print(f"\n{title}: counts/s/deg^2")
    print(f"{'keV':15s}" + "".join(f"{lo:g}-{hi:g}".rjust(9) for lo, hi in BANDS_KEV))
    for name, rate in {**parts, "total": total, "eFEDS": EFEDS_RATE}.items():
        print(f"{name:15s}" + "".join(f"{value:9.3f}" for value in rate))
    ratio = total / EFEDS_RATE
    print(f"{'total / eFEDS':15s}" + "".join(f"{value:9.3f}" for value in ratio))
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--arf", type=Path, default=SHARED / "survey_tm0_arf_filter_2023-01-17.fits.gz"
    )
    parser.add_argument("--rmf", type=Path, default=SHARED / "onaxis_tm0_rmf_2023-01-17.fits.gz")
    parser.add_argument("--fit", action="store_true", help="fit the norms of the foreground")
    parser.add_argument("--json", type=Path, help="write the ratios to a file")
    arguments = parser.parse_args()
    instruments = {"embedded response": Instrument.load("erosita")}
    if arguments.arf.exists() and arguments.rmf.exists():
        real = Instrument.from_ogip(arf=arguments.arf, rmf=arguments.rmf, mode="survey")
        instruments = {"real response": real, **instruments}
    else:
        print(f"{arguments.arf}: no such file; the embedded response only")
    ratios = {}
    for title, instrument in instruments.items():
        ratios[title] = print_table(title, blank_field(instrument)).tolist()
        if arguments.fit:
            for plasma, norm in zip(
                literature("diffuse")["foreground"], fit_foreground(instrument), strict=True
            ):
                print(f"fitted {plasma['name']:20s} norm_per_arcmin2 = {norm:.3g}")
    print("\nsky flux, erg/s/cm^2/deg^2: detected sources masked, and with all AGN")
    for band, measured in (((0.3, 2.0), 12.6e-12), ((0.3, 0.6), 5.1e-12)):
        masked, every = (sky_flux(*band, limit) for limit in (EFEDS_FLUX_LIMIT, np.inf))
        print(
            f"{band[0]}-{band[1]} keV: {masked:.3g} {every:.3g} (Ponti et al. 2023: {measured:.3g})"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(ratios, indent=1) + "\n")


if __name__ == "__main__":
    main()
