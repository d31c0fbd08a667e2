"""Masses that hang on one annulus or one band alone: training and explaining must find it, or not.

ln M is 0.8 times the ln amplitude of what is to be found, with a scatter of 0.05; five brightnesses
in all vary as much and are not told. Input x gradient by photons, added up over a region, is
d ln M / d ln N of its photons: 0.8 there and 0 elsewhere. Over four seeds of the training networks
gave 0.75-0.78 and -0.02-0.02. Networks trained on masses of other clusters gave 0 with a deviation
of 0.08, whatever the region (16 numbers): `TOLD` is 4.5 of these, and 0.8 exceeds it in all but one
of 1e7 such trainings.
"""

import signal
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from icmass.catalog import Catalog, CatalogSpec, ChangedCatalog, ImageGeometry, ShardData
from icmass.cli import main
from icmass.cli.ablation_file import read_results
from icmass.cli.explaining import subject_of
from icmass.config import TrainConfig
from icmass.estimate.runs import Run
from icmass.estimate.training import train
from icmass.interpret.attribution import attributions
from icmass.interpret.interventions import (
    AverageAzimuth,
    Intervention,
    RemoveCore,
    RemoveOutskirts,
    measure,
)
from icmass.interpret.interventions.changes import ShuffleMasses
from icmass.interpret.statistics import summarise
from icmass.interpret.subject import Subject

N = 500
GEOMETRY = ImageGeometry(n_y=24, n_x=24, pixel=100.0)
R500C = 800.0  # kpc, of all: masses must not be told by it
EDGES = (0.55, 1.0)  # R500c, of the annulus
SLOPE, NOISE, TOLD = 0.8, 0.05, 0.36
CORE, ANNULUS, OUTSKIRTS = range(3)
BANDS = ("soft", "medium", "hard")
ABLATIONS = "only-soft", "only-medium", "shuffled"
SIDE = "zone", "band"


class Known(NamedTuple):
    """Clusters, networks, and what they were told."""

    catalog: Catalog
    run: Run
    subject: Subject


def make_known(path: Path, by: str, seed: int = 1) -> Catalog:
    """Make clusters, the second of three zones (bands) of which tells the mass."""
    rng = np.random.default_rng(seed)
    amplitude = rng.normal(0.0, 0.6, (N, 3))
    ln_mass = np.log(3e14) + SLOPE * amplitude[:, 1] + rng.normal(0.0, NOISE, N)
    # What tells nothing is often absent: without it clusters are not strange to networks.
    shown = np.exp(amplitude) * ((rng.random((N, 3)) > 0.2) | (np.arange(3) == 1))
    of_zone, of_band = (shown[:, :, None], 1.0) if by == "zone" else (1.0, shown[:, None])
    total = 400.0 * np.array([0.5, 0.3, 0.2]) * of_zone * of_band * np.ones((3, 1))
    east, north = np.broadcast_arrays(*GEOMETRY.offsets())
    place = zones()[:, None] * (1.0 + 0.5 * np.cos(np.arctan2(north, east) - 0.7))
    place = place / place.sum(axis=(2, 3), keepdims=True)
    expected = np.einsum("nzb,zbyx->nbyx", total, np.repeat(place, 3, axis=1))
    images = np.stack([rng.poisson(expected), np.zeros_like(expected)], axis=1).astype(np.uint16)
    spec = CatalogSpec(geometry=GEOMETRY, origins=("icm", "agn"))
    photons = images.sum(axis=(1, 3, 4), dtype=np.int64)
    columns = {column.name: np.zeros(N, column.dtype) for column in spec.columns} | {
        "halo_id": np.arange(N),
        "m500c_msun": np.exp(ln_mass),
        "r500c_kpc": np.full(N, R500C),
        "redshift": rng.uniform(0.1, 0.4, N),
        "exposure_s": np.full(N, 1600.0),
        "n_phot": photons.sum(axis=1),
        **{f"n_phot_{band}": photons[:, k] for k, band in enumerate(BANDS)},
    }
    catalog = Catalog.create(path, spec)
    catalog.append(ShardData(columns=columns, images=images))
    return catalog


def zones() -> np.ndarray:
    """Return the pixels of core, annulus and outskirts, shape (3, n_y, n_x)."""
    zone = np.digitize(GEOMETRY.radius() / R500C, EDGES)
    return zone == np.arange(3)[:, None, None]


def learnt(catalog: Catalog, path: Path, of: Catalog | None = None) -> Known:
    """Train on a catalog; explained are the clusters of another, or its own."""
    config = TrainConfig.parse(
        {
            "network": "profile",
            "inputs": ["bands"],
            "folds": 2,
            "validation": 0.2,
            "epochs": 8,
            "batch_size": 16,
            "learning_rate": 3e-3,
        }
    )
    run = train(catalog, config, path, workers=1)
    own = catalog if of is None else of
    return Known(own, run, subject_of(run, own))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("known")


@pytest.fixture(scope="module")
def annulus(folder) -> Known:
    return learnt(make_known(folder / "annulus", "zone"), folder / "annulus-run")


@pytest.fixture(scope="module")
def null(annulus, folder) -> Known:
    """The same clusters before networks that were trained on masses of others."""
    shuffled = ChangedCatalog(annulus.catalog, ShuffleMasses.of(annulus.catalog))
    return learnt(shuffled, folder / "null-run", annulus.catalog)


@pytest.fixture(scope="module")
def band(folder) -> Known:
    return learnt(make_known(folder / "band", "band"), folder / "band-run")


@pytest.fixture(scope="module")
def ablations(band, folder) -> Path:
    """Where `icmass ablate` trained on bands alone, and on masses of other clusters."""
    before, place = signal.getsignal(signal.SIGTERM), folder / "ablations"
    names = ",".join(ABLATIONS)
    with suppress(SystemExit):
        main(
            [
                *("ablate", str(band.run.path), str(band.catalog.path), "-o", str(place)),
                *("--only", names, "--workers", "1", "--json"),
            ]
        )
    signal.signal(signal.SIGTERM, before)
    return place


def said(subject: Subject, method: str, space: str, by: str) -> np.ndarray:
    """Return attributions added up over each zone (band), shape (n, 3)."""
    found = np.empty((len(subject), 3))
    for one in attributions(subject, method, space=space):
        found[one.rows] = (
            one.values.sum(axis=(2, 3), dtype=np.float64)
            if by == "band"
            else np.einsum("ncyx,zyx->nz", one.values, zones())
        )
    return found


def shift(subject: Subject, change) -> np.ndarray:
    """Return the change of ln M of each cluster."""
    return measure(subject, Intervention("x", "X", change)).network


@pytest.mark.parametrize("by", SIDE)
def test_the_sensitivity_is_the_slope_where_masses_are_told(request, by):
    known = request.getfixturevalue("annulus" if by == "zone" else "band")
    median = np.median(said(known.subject, "input-x-gradient", "photons", by), axis=0)
    assert median == pytest.approx([0.0, SLOPE, 0.0], abs=0.1)


@pytest.mark.parametrize("by", SIDE)
def test_most_of_what_lifts_a_cluster_above_empty_sky_is_where_masses_are_told(request, by):
    known = request.getfixturevalue("annulus" if by == "zone" else "band")
    few = known.subject.select(np.arange(150))
    part = np.abs(np.median(said(few, "integrated-gradients", "inputs", by), axis=0))
    assert part[1] > 0.9 * part.sum()
    assert part[1] > 1.0  # ln M


def test_networks_that_learnt_nothing_are_sensitive_to_no_zone(null):
    median = np.median(said(null.subject, "input-x-gradient", "photons", "zone"), axis=0)
    assert np.abs(median).max() < TOLD


def test_rings_of_the_annulus_stand_out_of_the_statistics(annulus):
    gradients = ((one.rows, one.values) for one in attributions(annulus.subject, "saliency"))
    found = summarise(annulus.subject, gradients, slopes={"n_phot": 1.0}, n_resamples=50)
    profile = found.profiles[0]
    signed = np.array(profile.signed)
    ratio = np.array(profile.ratio["n_phot"])
    inside = np.array([EDGES[0] <= low < EDGES[1] for low in profile.low])
    beside = ~inside & np.isfinite(signed[:, 0])
    assert (inside.sum(), beside.sum()) == (2, 9)
    assert (signed[inside, 0] > 5.0 * signed[inside, 1]).all()
    assert np.abs(signed[beside, 0]).max() < 0.7 * signed[inside, 0].min()
    # A third of the photons tell all of the mass; elsewhere noise of both signs adds up in sizes.
    assert ratio[inside, 0].min() > 1.8
    assert ratio[beside, 0].max() < 1.6


def test_only_changes_of_the_annulus_move_masses(annulus, null):
    beside = [RemoveCore(EDGES[0]), RemoveOutskirts(EDGES[1]), AverageAzimuth()]
    of_it = [RemoveCore(EDGES[1]), RemoveOutskirts(EDGES[0])]
    for change in beside:
        assert abs(np.median(shift(annulus.subject, change))) < 0.1, change
    for change in of_it:
        moved = shift(annulus.subject, change)
        assert np.percentile(moved, 84) < -0.7, change
        assert abs(np.median(shift(null.subject, change))) < 0.6 * abs(np.median(moved)), change


def test_the_band_stands_out_of_the_statistics(band):
    gradients = ((one.rows, one.values) for one in attributions(band.subject, "saliency"))
    found = summarise(band.subject, gradients, slopes={"n_phot": 1.0}, n_resamples=50)
    soft, medium, hard = (one.median for one in found.bands)
    for other in (soft, hard):
        assert medium.value - other.value > 0.5  # dex
        assert medium.value - other.value > 5.0 * np.hypot(medium.error, other.error)


def test_trainings_on_one_band_find_the_band(band, ablations):
    rows = {row.name: row for row in read_results(ablations, band.run)}
    assert list(rows) == ["reference", *ABLATIONS]
    spread = float(np.std(np.log(band.catalog.column("m500c_msun"))))
    assert rows["reference"].error_std < 0.25 * spread
    assert rows["reference"].change_error == 0.0
    assert rows["only-medium"].error_std < 0.25 * spread
    assert abs(rows["only-medium"].change) < 0.02
    for name in ("only-soft", "shuffled"):
        assert 0.9 * spread < rows[name].error_std < 1.5 * spread  # of noise that was learnt
        assert rows[name].change > 10.0 * rows[name].change_error > 0.0
        assert rows[name].control == (name == "shuffled")


def test_networks_that_learnt_nothing_are_sensitive_to_no_band(band, ablations):
    subject = subject_of(Run.open(ablations / "runs" / "shuffled"), band.catalog)
    median = np.median(said(subject, "input-x-gradient", "photons", "band"), axis=0)
    assert np.abs(median).max() < TOLD
