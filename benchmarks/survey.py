"""What a synthetic survey costs, whether it looks like the sky, and has every photon once.

A field like eFEDS (140 deg^2) is surveyed, or a part of it. Printed are the time and memory of the
run; photons of each source, summed over all tiles, against those drawn (must be equal) and against
their expectation (chi-square); AGN against the number counts they were drawn from; the background,
with the sources found masked as on the sky, against the values measured in eFEDS; and the clusters
found, against the published list.

    python benchmarks/survey.py DIR [--fraction 1] [--seed 0] [--workers N] [--json FILE]
"""

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from scipy.spatial import cKDTree

from icmass.config import SurveyConfig
from icmass.simulate.cutouts import read_event_list
from icmass.simulate.instrument import Instrument
from icmass.simulate.sky.agn_counts import NumberCounts
from icmass.simulate.skymaps import uniform_positions
from icmass.simulate.survey import simulate_survey
from icmass.simulate.survey.plan import open_plan
from icmass.simulate.survey.vignetting import vignetted_share

# Counts/s/deg^2 per unvignetted second, all modules, sources masked: measured on eFEDS images.
MEASURED_RATES = {(0.3, 0.6): 3.72, (0.6, 2.2): 6.97, (2.2, 5.0): 4.81}
# The same per vignetted second in 0.2-2.3 keV, of the eFEDS catalogue.
CATALOGUE_RATE = 21.6
# Liu et al. (2022, A&A 661, A2): 542 candidates with ext_like > 6, det_like > 5 in 140 deg^2.
CLUSTERS_PER_DEG2 = 542 / 140.0
MASK_ARCSEC = 60.0
FLUX_EDGES = np.geomspace(1e-15, 1e-13, 9)


def main() -> None:
    """Make the survey and print what there is to say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--fraction", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    config = SurveyConfig.parse(
        {"preset": "efeds", "fraction": options.fraction, "seed": options.seed}
    )
    begun = time.monotonic()
    summary = simulate_survey(config, options.directory, workers=options.workers)
    values: dict[str, Any] = dict(summary.values)
    values["wall_s"] = round(time.monotonic() - begun, 1)
    values["peak_mb"] = {
        who: resource.getrusage(which).ru_maxrss / 1024.0
        for who, which in (("driver", resource.RUSAGE_SELF), ("worker", resource.RUSAGE_CHILDREN))
    }
    place = options.directory.resolve()
    values |= photons(place) | number_counts(place) | background(place) | clusters(place)
    print(json.dumps(values, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(values, indent=1) + "\n")


def photons(place: Path) -> dict[str, Any]:
    """Every photon once, and as many of each source as expected."""
    found: dict[int, int] = {}
    for path in sorted(place.glob("tiles/*/events.fits")):
        ids, counts = np.unique(read_event_list(path).source_id, return_counts=True)
        for source, count in zip(ids.tolist(), counts.tolist(), strict=True):
            found[source] = found.get(source, 0) + count
    found.pop(0, None)
    report: dict[str, Any] = {}
    for name, column in (("haloes", "halo_id"), ("agn", "source_id")):
        tables = [Table.read(path, hdu=1) for path in sorted(place.glob(f"tiles/*/{name}.fits"))]
        ids, drawn, outside, expected = (
            np.concatenate([np.asarray(table[one]) for table in tables])
            for one in (column, "n_photons", "n_outside", "expected")
        )
        there = np.array([found.pop(source, 0) for source in ids.tolist()])
        shown = expected > 0.0
        # Poisson: chi-square of sources, whose variance is 2 + 1 / expectation each.
        chi = (drawn[shown] - expected[shown]) ** 2 / expected[shown]
        spread = np.sqrt((2.0 + 1.0 / expected[shown]).sum())
        report[f"photons_of_{name}"] = {
            "sources": len(ids),
            "photons": int(drawn.sum()),
            "expected": round(float(expected.sum()), 1),
            "total_sigma": round(float((drawn.sum() - expected.sum()) / expected.sum() ** 0.5), 2),
            "chi2_per_source": round(float(chi.mean()), 4),
            "chi2_sigma": round(float((chi.sum() - len(chi)) / spread), 2),
            "sources_whose_photons_are_not_all_once": int((there != drawn - outside).sum()),
        }
    report["photons_of_no_source_listed"] = sum(found.values())
    return report


def number_counts(place: Path) -> dict[str, Any]:
    """AGN put in per flux, over what the relation says."""
    area = open_plan(place).conditions.footprint.area_deg2
    flux = np.concatenate(
        [np.asarray(Table.read(path, hdu=1)["flux"]) for path in place.glob("tiles/*/agn.fits")]
    )
    counts, _ = np.histogram(flux, FLUX_EDGES)
    relation = area * -np.diff(NumberCounts.default().number_above(FLUX_EDGES))
    return {
        "agn_counts": [
            {"flux": f"{low:.2e}", "drawn": int(n), "ratio": round(n / mean, 4),
             "error": round(mean**-0.5, 4)}
            for low, n, mean in zip(FLUX_EDGES[:-1], counts.tolist(), relation, strict=True)
        ]
    }  # fmt: skip


def background(place: Path) -> dict[str, Any]:
    """Rates with the sources found masked, counts/s/deg^2, over those measured on the sky."""
    plan = open_plan(place)
    sources = Table.read(place / "sources.fits")
    tree = cKDTree(unit_vectors(np.asarray(sources["ra_deg"]), np.asarray(sources["dec_deg"])))
    reach = np.maximum(MASK_ARCSEC, 3.0 * np.nan_to_num(np.asarray(sources["extent_arcsec"])))

    def outside(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
        chord, nearest = tree.query(unit_vectors(ra, dec), k=3)
        return (chord * 206264.8 > reach[nearest]).all(axis=1)

    conditions, rng = plan.conditions, np.random.default_rng(1)
    pixel = np.repeat(conditions.footprint.pixel, 30)
    where = uniform_positions(512, pixel, rng)
    free = outside(*where)
    seconds = conditions.exposure_at(*where)[free].sum() / len(free)
    deg2_s = conditions.footprint.area_deg2 * seconds
    bands = {**MEASURED_RATES, (0.2, 2.3): 0.0}
    counts = dict.fromkeys(bands, 0)
    for path in sorted(place.glob("tiles/*/events.fits")):
        events = read_event_list(path)
        energy = events.energy_kev[outside(events.ra_deg, events.dec_deg)]
        for lo, hi in bands:
            counts[lo, hi] += int(((energy >= lo) & (energy < hi)).sum())
    share = vignetted_share(Instrument.load(plan.config.instrument), (0.2, 2.3))
    rates = {band: count / deg2_s for band, count in counts.items()}
    catalogue = rates.pop((0.2, 2.3)) / share
    return {
        "masked_share": round(1.0 - float(free.mean()), 4),
        "background_rates": {
            f"{lo:g}-{hi:g}": {
                "rate": round(rate, 3), "ratio": round(rate / MEASURED_RATES[lo, hi], 3)
            }
            for (lo, hi), rate in rates.items()
        },
        "background_rate_vignetted": {
            "rate": round(catalogue, 2), "ratio": round(catalogue / CATALOGUE_RATE, 3)
        },
    }  # fmt: skip


def clusters(place: Path) -> dict[str, Any]:
    """Extended sources found, and what they are."""
    area = open_plan(place).conditions.footprint.area_deg2
    sources, haloes = Table.read(place / "sources.fits"), Table.read(place / "haloes.fits")
    extended = sources[(np.asarray(sources["extent_arcsec"]) > 0.0) & (sources["ext_like"] > 6.0)]
    seen = haloes[np.isin(haloes["halo_id"], extended["halo_id"])]
    luminosity = np.log10(np.asarray(seen["lx_0520_erg_s"]))
    kinds, numbers = np.unique(np.asarray(extended["kind"]).astype(str), return_counts=True)
    spurious = float((np.asarray(sources["kind"]).astype(str) == "spurious").sum())
    return {
        "sources_per_deg2": round(len(sources) / area, 1),
        "spurious_per_deg2": round(spurious / area, 2),
        "extended_per_deg2": round(len(extended) / area, 3),
        "extended_over_efeds": round(len(extended) / area / CLUSTERS_PER_DEG2, 3),
        "extended_kinds": dict(zip(kinds.tolist(), numbers.tolist(), strict=True)),
        "clusters_median_redshift": round(float(np.median(seen["redshift"])), 3),
        "clusters_log_luminosity_5_50_95": np.round(
            np.nanpercentile(luminosity, (5, 50, 95)), 2
        ).tolist(),
    }  # fmt: skip


def unit_vectors(ra_deg: np.ndarray, dec_deg: np.ndarray) -> np.ndarray:
    """Directions, shape (n, 3)."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


if __name__ == "__main__":
    main()
