"""Where drawn photons fall: PSF, kernel, squares of sky, the edge of the field, orientation."""

from dataclasses import replace

import numba
import numpy as np
import pytest

from icmass.simulate.events import Events
from icmass.simulate.origin import Origin
from icmass.simulate.photons.emitters import Shape
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.view import View
from tests.helpers.forward import component, draw, flat_spectrum, kernel_cdf, make_emitters
from tests.helpers.stats import (
    Z_MAX,
    assert_chi_square,
    assert_distribution,
    assert_mean,
    chi_square,
)

COUNTS = 100_000


def observed(instrument, view, emitters, shape=Shape.POINT, *, counts=COUNTS, seed=1, **more):
    """Events of emitters, of which `counts` are expected before any leaves the field."""
    spectra = FoldedSpectra.for_view(flat_spectrum(), instrument, view)
    part = component(emitters, spectra, shape, **more)
    return draw(part, view, instrument, counts / expected_counts(part, 1.0).sum(), seed)


def offsets(events: Events) -> np.ndarray:
    """Distance between where a photon is recorded and where it came from."""
    return np.hypot(
        events.east_arcsec.astype(np.float64) - events.true_east_arcsec,
        events.north_arcsec.astype(np.float64) - events.true_north_arcsec,
    )


def encircled_counts(radius: np.ndarray, n: float, share) -> tuple[np.ndarray, np.ndarray]:
    """Counts in rings about the source, and those expected from an encircled energy."""
    edges = np.array([0.0, 1.0, 2.0, 4.0, 7.0, 12.0, 20.0, 35.0, 60.0, 100.0, 170.0, 1e4])
    return np.histogram(radius, edges)[0], n * np.diff(share(edges))


def assert_psf(radius: np.ndarray, psf, scale: float) -> None:
    """Rings of the PSF, with controls that must fail."""
    n = radius.size
    counts, expected = encircled_counts(radius, n, lambda r: psf.encircled(r, scale))
    assert_chi_square(counts, expected)
    for share in (
        lambda r: psf.encircled(r / 0.9, scale),  # PSF x 0.9
        lambda r: psf.encircled(r, scale * 1.03),
        lambda r: replace(psf, wing_fraction=0.1).encircled(r, scale),
        lambda r: replace(psf, core_slope=2.1).encircled(r, scale),
    ):
        assert chi_square(counts, encircled_counts(radius, n, share)[1]).z > Z_MAX


@pytest.mark.parametrize("place", [(0.0, 0.0), (-500.0, 300.0)])
def test_survey_psf_is_the_same_everywhere(flat, place):
    view = View(10.0, 5.0, "survey", 3600.0)
    events = observed(flat, view, make_emitters(east_arcsec=place[0], north_arcsec=place[1]))
    assert_psf(offsets(events), flat.psf("survey"), 1.0)


@pytest.mark.parametrize("theta_arcmin", [0.0, 7.5, 20.0])
def test_pointed_psf_grows_off_axis(flat, theta_arcmin):
    # A field large enough to keep every photon.
    view = View(10.0, 5.0, "pointed", 3 * 3600.0)
    east, north = 60 * theta_arcmin * np.cos(2.2), 60 * theta_arcmin * np.sin(2.2)
    events = observed(flat, view, make_emitters(east_arcsec=east, north_arcsec=north))
    psf = flat.psf("pointed")
    scale = 1.0 + (theta_arcmin / 15.0) ** 2
    radius = offsets(events)
    # The growth is tabulated each arcmin and interpolated: 1e-3.
    assert_psf(radius, psf, scale)
    assert radius.max() <= 240.0 * scale * (1 + 2e-3)
    if theta_arcmin > 0:  # the PSF on axis everywhere
        on_axis = encircled_counts(radius, radius.size, psf.encircled)[1]
        assert chi_square(*encircled_counts(radius, radius.size, psf.encircled)).z > 50, on_axis


@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_psf_of_the_real_telescope_has_its_half_energy_width(erosita, mode):
    view = View(10.0, 5.0, mode, 3600.0)
    energies = erosita.redistribution.n_energy
    spectra = FoldedSpectra.for_view(np.full((1, 1, energies), 1e-6), erosita, view)
    part = component(make_emitters(), spectra)
    events = draw(part, view, erosita, COUNTS / expected_counts(part, 1.0).sum())
    psf = erosita.psf(mode)
    radius = offsets(events)
    assert_distribution(radius, psf.encircled)
    inside = np.mean(radius < psf.half_energy_width() / 2)
    assert abs(inside - 0.5) < Z_MAX * 0.5 / np.sqrt(radius.size)


def test_psf_has_no_direction(flat, survey):
    events = observed(flat, survey, make_emitters())
    angle = np.arctan2(events.north_arcsec, events.east_arcsec)
    assert_distribution(angle, lambda a: (a + np.pi) / (2 * np.pi))


def test_particles_hit_the_detector_directly(flat, survey):
    events = observed(flat, survey, make_emitters(extent_arcsec=100.0), Shape.SQUARE)
    assert np.array_equal(events.east_arcsec, events.true_east_arcsec)
    assert np.array_equal(events.north_arcsec, events.true_north_arcsec)


def test_gas_is_spread_by_its_kernel(flat, survey):
    emitters = make_emitters(east_arcsec=40.0, north_arcsec=-70.0, extent_arcsec=200.0)
    events = observed(flat, survey, emitters, Shape.KERNEL)
    dx = events.true_east_arcsec.astype(np.float64) - 40.0
    dy = events.true_north_arcsec.astype(np.float64) + 70.0
    q = np.hypot(dx, dy) / 200.0
    assert q.max() <= 1.0 + 1e-6
    assert_distribution(q, kernel_cdf)
    assert_distribution(np.arctan2(dy, dx), lambda a: (a + np.pi) / (2 * np.pi))
    with pytest.raises(AssertionError):
        assert_distribution(0.98 * q, kernel_cdf)
    # The PSF acts on top and independently.
    rings = encircled_counts(offsets(events), len(events), flat.psf("survey").encircled)
    assert_chi_square(*rings)


def test_squares_of_sky_are_uniform(flat, survey):
    emitters = make_emitters(east_arcsec=-300.0, north_arcsec=200.0, extent_arcsec=150.0)
    events = observed(flat, survey, emitters, Shape.SQUARE)
    x = (events.east_arcsec.astype(np.float64) + 450.0) / 300.0
    y = (events.north_arcsec.astype(np.float64) - 50.0) / 300.0
    assert_distribution(x, lambda u: np.clip(u, 0, 1))
    assert_distribution(y, lambda u: np.clip(u, 0, 1))
    cells = np.bincount((x * 20).astype(int).clip(0, 19) * 20 + (y * 20).astype(int).clip(0, 19))
    assert_chi_square(cells, np.full(400, len(events) / 400))


@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_the_field_is_cut_square_or_round(flat, mode):
    view = View(10.0, 5.0, mode, 1200.0)
    # Uniform sky well over the field: the share inside is a ratio of areas.
    spectra = FoldedSpectra.for_view(flat_spectrum(), flat, replace(view, mode="survey"))
    part = component(make_emitters(extent_arcsec=800.0), spectra, Shape.SQUARE)
    events = draw(part, view, flat, COUNTS / spectra.rate[0, 0, 0])
    share = (1.0 if mode == "survey" else np.pi / 4) * 1200.0**2 / 1600.0**2
    assert_mean([len(events)], COUNTS * share, np.sqrt(COUNTS * share))
    assert view.contains(events.east_arcsec, events.north_arcsec).mean() > 1 - 1e-4
    reach = np.maximum(np.abs(events.east_arcsec), np.abs(events.north_arcsec))
    assert 595.0 < reach.max() <= 600.0
    if mode == "survey":  # the corners are there
        assert np.hypot(events.east_arcsec, events.north_arcsec).max() > 800.0


def test_photons_scattered_out_are_lost_and_in_are_kept(flat):
    view = View(10.0, 5.0, "survey", 1200.0)
    psf = flat.psf("survey")
    # Far along the edge the PSF sees a half plane: half of a source on it is lost.
    on_edge = observed(flat, view, make_emitters(east_arcsec=600.0))
    assert_mean([len(on_edge)], COUNTS / 2, np.sqrt(COUNTS / 2))
    outside = observed(flat, view, make_emitters(east_arcsec=620.0))
    rng = np.random.default_rng(1)
    n = 2_000_000
    r = psf.radius(rng.random(n), rng.random(n))
    share = np.mean(r * np.cos(2 * np.pi * rng.random(n)) < -20.0)
    assert_mean([len(outside)], COUNTS * share, np.sqrt(COUNTS * share * (1 + COUNTS / n)))
    assert (outside.true_east_arcsec == np.float32(620.0)).all()
    assert (outside.east_arcsec <= 600.0).all()


def test_rows_are_dropped_in_all_columns_alike(flat):
    view = View(10.0, 5.0, "survey", 1200.0)
    n = 60
    emitters = make_emitters(
        east_arcsec=np.linspace(-700.0, 700.0, n), north_arcsec=-3.0 * np.arange(n)
    )
    ids = np.arange(1, n + 1, dtype=np.int32)[::-1].copy()
    events = observed(flat, view, emitters, source_id=ids)
    assert 0 < len(events) < COUNTS
    assert np.array_equal(events.source_id, ids[events.parent])
    assert np.array_equal(events.true_east_arcsec, emitters.east_arcsec[events.parent])
    assert np.array_equal(events.true_north_arcsec, emitters.north_arcsec[events.parent])
    assert offsets(events).max() <= 240.0
    edges = flat.redistribution.channel_edges_kev
    assert (np.abs(events.energy_kev - edges[events.channel] - 0.01) <= 0.01 + 1e-6).all()
    assert np.abs(events.true_energy_kev - events.energy_kev).max() <= 0.02 + 1e-6
    assert set(np.unique(events.module)) == {1, 2, 4, 7}
    assert (np.diff(events.parent) >= 0).all()
    for name, dtype in Events.DTYPES.items():
        assert getattr(events, name).dtype == dtype
        assert len(getattr(events, name)) == len(events)


def test_a_larger_field_only_adds_photons(flat):
    small, large = (View(10.0, 5.0, "survey", w) for w in (1200.0, 2400.0))
    emitters = make_emitters(east_arcsec=np.linspace(-700.0, 700.0, 50))
    few = observed(flat, small, emitters)
    many = observed(flat, large, emitters)
    inside = many.select(small.contains(many.east_arcsec, many.north_arcsec))
    for name in Events.DTYPES:
        assert np.array_equal(getattr(few, name), getattr(inside, name)), name


def off_centre(flat):
    """An image of an extended source to the north-east beside a point to the west."""
    view = View(0.02, -60.0, "survey", 1200.0)
    emitters = make_emitters(
        east_arcsec=[250.0, -407.0],
        north_arcsec=[100.0, 30.0],
        extent_arcsec=[150.0, 10.0],
        norm=[0.7, 0.3],
    )
    return view, observed(flat, view, emitters, Shape.KERNEL)


def test_images_are_neither_mirrored_nor_transposed(flat):
    view, events = off_centre(flat)
    grid = PixelGrid(61, 41, 20.0, 30.0, -10.0)
    image = grid.histogram(events.east_arcsec, events.north_arcsec)
    # By hand: column to the west, row to the north.
    x = np.floor((30.0 + 610.0 - events.east_arcsec.astype(np.float64)) / 20.0).astype(int)
    y = np.floor((events.north_arcsec.astype(np.float64) + 10.0 + 410.0) / 20.0).astype(int)
    twin = np.zeros((41, 61), int)
    ok = (x >= 0) & (x < 61) & (y >= 0) & (y < 41)
    np.add.at(twin, (y[ok], x[ok]), 1)
    assert np.array_equal(image, twin)
    assert np.unravel_index(image.argmax(), image.shape) == (22, 52)
    # On the sky: east of RA 0.02 wraps no further than expected, and RA grows to the east.
    ra, dec = events.ra_dec(view)
    point = events.parent == 1
    offset = np.mod(ra[point] - 0.02 + 180.0, 360.0) - 180.0
    cos_dec = np.cos(np.radians(-60.0 + 30.0 / 3600.0))
    assert np.median(offset) * cos_dec * 3600.0 == pytest.approx(-407.0, abs=2.0)
    assert np.median(ra[point]) > 359.0
    assert np.median(dec[point]) == pytest.approx(-60.0 + 30.0 / 3600.0, abs=1e-3)
    wrong = np.median(offset) * 3600.0
    assert abs(wrong + 407.0) > 100.0  # cos(dec) dropped


def test_order_and_columns_of_several_components(flat, survey):
    spectra = FoldedSpectra.for_view(flat_spectrum(), flat, survey)
    first = component(
        make_emitters(3), spectra, name="a", origin=Origin.AGN, source_id=np.array([5, 6, 7])
    )
    second = component(
        make_emitters(extent_arcsec=100.0), spectra, Shape.SQUARE,
        name="b", origin=Origin.BACKGROUND,
    )  # fmt: skip
    exposure = 1000 / spectra.rate[0, 0, 0]
    both = draw([first, second], survey, flat, exposure)
    alone = draw(first, survey, flat, exposure), draw(second, survey, flat, exposure)
    for i, origin in enumerate((Origin.AGN, Origin.BACKGROUND)):
        part = both.from_origin(origin)
        for name in Events.DTYPES:
            assert np.array_equal(getattr(part, name), getattr(alone[i], name)), name
    assert (np.diff(both.origin.astype(int)) >= 0).all()
    assert set(both.from_origin(Origin.AGN).source_id) == {5, 6, 7}
    assert set(both.from_origin(Origin.BACKGROUND).source_id) == {0}
    # Streams of other names are other streams.
    renamed = draw(replace(first, name="c"), survey, flat, exposure)
    assert not np.array_equal(renamed.time_s[:100], alone[0].time_s[:100])


def test_same_seed_same_events_whatever_the_threads(flat, survey):
    emitters = make_emitters(9000, extent_arcsec=80.0, node=0.0, norm=np.linspace(0.0, 2.0, 9000))
    before = numba.get_num_threads()
    runs = []
    try:
        for threads in {1, before}:
            numba.set_num_threads(threads)
            runs.append(observed(flat, survey, emitters, Shape.KERNEL))
    finally:
        numba.set_num_threads(before)
    other = observed(flat, survey, emitters, Shape.KERNEL, seed=2)
    for name in Events.DTYPES:
        first, second = (getattr(run, name) for run in (runs[0], runs[-1]))
        assert first.tobytes() == second.tobytes(), name
    assert not np.array_equal(other.time_s[:1000], runs[0].time_s[:1000])
