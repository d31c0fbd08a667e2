"""Bugs that photon simulators have had, each as a test that would have caught it.

Those of the forward model stand below, with the version or issue where the bug was found. The
others have a test beside the code that could have them:

pyXSIM
- hydrogen density twice too high for AREPO (4.0.1):
  tests/simulate/readers/test_formats.py::test_arepo_hydrogen_is_that_of_the_file
- n_e n_p instead of n_e n_H:
  tests/simulate/readers/test_formats.py::test_emission_measure_is_that_of_all_hydrogen
- metal mass fraction to solar units (1.2.4-1.2.6):
  tests/simulate/readers/test_formats.py::test_temperature_metals_mass_and_size
- (1 + z) in the norm of power laws and lines:
  tests/simulate/emission/test_spectrum.py::test_flux_has_no_power_of_redshift_but_in_energy
- a bare centre taken in another unit than documented:
  tests/simulate/readers/test_cuts.py::test_a_bare_center_and_radius_are_physical_kpc
- no photon and no word why (issues 21, 23, 30, 59):
  tests/simulate/readers/test_cuts.py::test_census_counts_each_cut_in_order

SOXS
- square root of the background area (issue 36):
  tests/simulate/sky/test_background.py::test_historical_square_root_of_the_area
  tests/simulate/sky/test_diffuse.py::test_historical_square_root_of_the_area
- field-of-view factor of the background (4.7.0):
  tests/simulate/sky/test_background.py::test_historical_field_of_view_factor
- flux scale of sources (4.1.0):
  tests/simulate/sky/test_field_agn.py::test_counts_are_flux_times_conversion_factor
- channel origin, in event files and in responses:
  tests/simulate/products/test_event_file.py::test_channels_count_from_where_the_matrix_does
  tests/simulate/instrument/test_ogip_read.py::test_layouts_and_channel_origins

ixpeobssim
- vignetting applied to the instrumental background (issue 185):
  tests/simulate/sky/test_background.py::test_historical_vignetting_applied_to_instrumental_background
- TLMIN and TLMAX missing (issues 588, 688):
  tests/simulate/products/test_event_file.py::test_limits_enclose_the_columns

SIXTE
- source ids from 0:
  tests/simulate/products/test_event_file.py::test_source_ids_count_from_one_and_only_agn_have_them
"""

import re
from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from icmass.simulate.constants import LIGHT_SPEED_KMS
from icmass.simulate.events import Events
from icmass.simulate.instrument import Response
from icmass.simulate.photons.draw import draw_parents
from icmass.simulate.photons.draw_kernels import BLOCK
from icmass.simulate.photons.emitters import Shape
from icmass.simulate.photons.expectation import expected_counts, expected_image
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.photons.gas_component import gas_component, kpc_per_arcsec
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.rng import kernel_key, stream
from icmass.simulate.view import View, rotation_from_axis
from tests.helpers.forward import (
    COSMOLOGY,
    EDGES_KEV,
    analytic_table,
    channel_counts,
    component,
    diagonal,
    draw,
    flat_spectrum,
    gas_of,
    make_emitters,
    make_instrument,
)
from tests.helpers.stats import Z_MAX, assert_chi_square, assert_mean, assert_poisson, chi_square

N_E = EDGES_KEV.size - 1
ENERGY = 0.5 * (EDGES_KEV[1:] + EDGES_KEV[:-1])
VIEW = View(350.0, -60.0, "survey", 1800.0)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def flat():
    return make_instrument()


@pytest.fixture(scope="module")
def table():
    return analytic_table()


def point(instrument, view=VIEW, photons=None, **columns):
    spectra = FoldedSpectra.for_view(
        flat_spectrum() if photons is None else photons, instrument, view
    )
    return component(make_emitters(**columns), spectra)


def observed(part, instrument, view=VIEW, counts=40_000, seed=1):
    return draw(part, view, instrument, counts / expected_counts(part, 1.0).sum(), seed)


def line(index: int) -> np.ndarray:
    photons = np.zeros((1, 1, N_E))
    photons[..., index] = 1e-3
    return photons


def test_the_tests_that_are_listed_exist():
    listed = re.findall(r"(tests/\S+\.py)::(\w+)", __doc__)
    assert len(listed) >= 14
    for path, name in listed:
        assert f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"


def test_one_very_bright_particle_takes_no_more_memory_than_its_photons(flat):  # pyXSIM issue 49
    norm = np.ones(1000)
    norm[500] = 1e6
    events = observed(point(flat, norm=norm), flat, counts=500_000)
    mean = 500_000 * 1e6 / norm.sum()
    assert_mean([(events.parent == 500).sum()], mean, np.sqrt(mean))
    # The rest is not crowded out: 500 photons of the faint.
    faint = 500_000 * 999 / norm.sum()
    assert abs((events.parent != 500).sum() - faint) < Z_MAX * np.sqrt(faint)


def test_counts_beyond_32_bits_do_not_wrap(flat):  # pyXSIM PR 65
    expected = expected_counts(point(flat, norm=[1e7, 3e9]), 1e3)
    assert expected[1] > 2**32
    assert expected.dtype == np.float64
    rows = draw_parents(np.array([0.0, 5.0]), kernel_key(stream(1, "counts")))
    assert rows.dtype == np.int64
    assert Events.DTYPES["parent"] == "i8"


@pytest.mark.parametrize("n", [1, BLOCK + 1, 2 * BLOCK + 1])
def test_a_last_chunk_of_one_emitting_cell(flat, n):  # pyXSIM issues 35 and 57
    norm = np.zeros(n)
    norm[-1] = 1.0
    events = observed(point(flat, norm=norm), flat, counts=5000)
    assert abs(len(events) - 5000) < Z_MAX * np.sqrt(5000)
    assert (events.parent == n - 1).all()


def test_no_power_of_1_plus_z_too_many(flat, table):  # pyXSIM, (1+z) in norms
    # The photons of one band at rest, EM / (4 pi D_M^2) times those emitted, arrive at a rate that
    # is slower by the one 1 / (1 + z) of time dilation.
    wide = make_instrument(diagonal(edges_kev=np.geomspace(0.06, 20.0, 500)), area_cm2=1.0)
    emitted = []
    for z in (0.1, 0.3, 0.9):
        part = gas_component(
            gas_of(kt_kev=2.0, metallicity_solar=1.0), VIEW, wide,
            redshift=z, nh_cm2=0.0, table=table,
        )  # fmt: skip
        distance = COSMOLOGY.comoving_transverse_distance(z).to_value("Mpc")
        rate = expected_counts(part, 1.0, (0.5 / (1 + z), 10.0 / (1 + z)))[0]
        emitted.append(rate * distance**2 * (1 + z))
    np.testing.assert_allclose(emitted, emitted[0], rtol=5e-3)


@pytest.mark.parametrize("speed_kms", [2000.0, -2000.0])
def test_receding_gas_is_redder_not_bluer(flat, table, speed_kms):  # pyXSIM, relativistic Doppler
    # Along each line of sight the velocity away counts, and nothing across.
    for axis, column in (("x", 0), ("y", 1), ("z", 2)):
        velocity = np.full((1, 3), 5000.0)
        velocity[0, column] = speed_kms
        view = replace(VIEW, rotation=rotation_from_axis(axis))
        part = gas_component(
            gas_of(velocity_kms=velocity), view, flat, redshift=0.1, nh_cm2=0.0, table=table
        )
        beta = speed_kms / LIGHT_SPEED_KMS
        shift = part.emitters.energy_shift[0]
        assert shift == pytest.approx(1 / (1 + beta), rel=1e-6)
        exact = np.sqrt((1 - beta) / (1 + beta))
        assert shift == pytest.approx(exact, rel=beta**2)
        assert (shift < 1) == (speed_kms > 0)


def test_distance_is_not_read_back_in_another_unit(flat, table):  # pyXSIM issue 54
    # Cosmologies in other units of H0, one distance: rate and scale are bound to each other.
    other = FlatLambdaCDM((70.0 * u.km / u.s / u.Mpc).to(1 / u.Gyr), 0.3)
    assert kpc_per_arcsec(0.2, other) == pytest.approx(kpc_per_arcsec(0.2, COSMOLOGY), rel=1e-9)
    part = gas_component(gas_of(), VIEW, flat, redshift=0.2, nh_cm2=0.0, table=table)
    cm = COSMOLOGY.comoving_transverse_distance(0.2).to_value("cm")
    assert part.emitters.norm[0] == pytest.approx(1e66 / (4 * np.pi * cm**2), rel=1e-9)


def test_h_is_not_forgotten(flat, table):  # the distance in Mpc/h
    small, large = (replace(gas_of().info, cosmology=FlatLambdaCDM(h, 0.3)) for h in (50.0, 100.0))
    norms = [
        gas_component(
            replace(gas_of(), info=info), VIEW, flat, redshift=0.2, nh_cm2=0.0, table=table
        ).emitters.norm[0]
        for info in (small, large)
    ]
    assert norms[1] == pytest.approx(4 * norms[0], rel=1e-9)


def test_photons_stay_within_their_particle(flat):  # pyXSIM, edge cells scattered far
    n = 500
    rng = np.random.default_rng(1)
    emitters = make_emitters(
        east_arcsec=rng.uniform(-900, 900, n),
        north_arcsec=rng.uniform(-900, 900, n),
        extent_arcsec=rng.exponential(30.0, n),
    )
    for shape, reach in ((Shape.KERNEL, 1.0), (Shape.SQUARE, np.sqrt(2.0)), (Shape.POINT, 0.0)):
        spectra = FoldedSpectra.for_view(flat_spectrum(), flat, VIEW)
        events = observed(component(emitters, spectra, shape), flat, counts=50_000)
        distance = np.hypot(
            events.true_east_arcsec - emitters.east_arcsec[events.parent],
            events.true_north_arcsec - emitters.north_arcsec[events.parent],
        )
        extent = emitters.extent_arcsec[events.parent]
        assert (distance <= reach * extent + 2e-4).all()
        if reach:
            assert (distance > 0.5 * extent).any()


def test_sizes_are_physical_not_comoving(flat, table):  # SOXS, comoving and proper sizes
    z = 0.8
    part = gas_component(
        gas_of(position_kpc=[[500.0, 0.0, 0.0]], smoothing_kpc=100.0), VIEW, flat,
        redshift=z, nh_cm2=0.0, table=table,
    )  # fmt: skip
    per_arcsec = COSMOLOGY.kpc_proper_per_arcmin(z).value / 60.0
    assert part.emitters.east_arcsec[0] == pytest.approx(500.0 / per_arcsec, rel=1e-6)
    assert part.emitters.extent_arcsec[0] == pytest.approx(100.0 / per_arcsec, rel=1e-6)


@pytest.mark.parametrize("theta_arcmin", [0.0, 5.0, 12.0, 25.0])
def test_each_off_axis_angle_has_its_own_psf(flat, theta_arcmin):  # SOXS 5.3.0; 3.4.0, 4.2.1
    view = View(10.0, 5.0, "pointed", 4 * 3600.0)
    part = point(flat, view, east_arcsec=-60 * theta_arcmin)
    events = observed(part, flat, view)
    r = np.hypot(events.east_arcsec - events.true_east_arcsec,
                 events.north_arcsec - events.true_north_arcsec)  # fmt: skip
    psf = flat.psf("pointed")
    inside = np.mean(r < psf.half_energy_width(float(psf.scale(theta_arcmin))) / 2)
    sigma = 0.5 / np.sqrt(len(events))
    assert abs(inside - 0.5) < Z_MAX * sigma
    for other in (0.0, 5.0, 12.0, 25.0):
        if other != theta_arcmin:
            wrong = psf.half_energy_width(float(psf.scale(other))) / 2
            assert abs(np.mean(r < wrong) - 0.5) > Z_MAX * sigma


def lopsided(flat):
    """Three sources that no reflection or quarter turn maps onto each other."""
    part = point(
        flat, east_arcsec=[500.0, 0.0, -200.0], north_arcsec=[100.0, 700.0, -400.0],
        norm=[4.0, 2.0, 1.0],
    )  # fmt: skip
    grid = PixelGrid.cover(VIEW, 60.0)
    events = observed(part, flat, counts=60_000)
    exposure = 60_000 / expected_counts(part, 1.0).sum()
    image = expected_image(part, VIEW, flat.psf("survey"), exposure, grid, (0.0, 20.0))
    return grid, grid.histogram(events.east_arcsec, events.north_arcsec), image


def test_images_and_psf_are_not_transposed(flat):  # SOXS 4.5.2
    grid, counts, expected = lopsided(flat)
    # Row to the north, column to the west, by hand: (900 - 500) / 60 and (100 + 900) / 60.
    assert np.unravel_index(counts.argmax(), counts.shape) == (16, 6)
    assert_chi_square(counts, expected)
    assert chi_square(counts, expected.T + 1e-9).z > Z_MAX
    assert grid.shape == counts.shape


def test_images_are_not_rotated(flat):  # SOXS 4.5.3, SIMPUT image
    _, counts, expected = lopsided(flat)
    for turns in (1, 2, 3):
        assert chi_square(counts, np.rot90(expected, turns) + 1e-9).z > Z_MAX
    for axis in (0, 1):
        assert chi_square(counts, np.flip(expected, axis) + 1e-9).z > Z_MAX


@pytest.mark.parametrize("index", [0, 1, 200, N_E - 2, N_E - 1])
def test_energies_are_not_off_by_one(flat, index):  # SOXS 4.4.0
    events = observed(point(flat, photons=line(index)), flat, counts=20_000)
    lo, hi = EDGES_KEV[index], EDGES_KEV[index + 1]
    assert (events.true_energy_kev >= lo - 1e-6).all()
    assert (events.true_energy_kev <= hi + 1e-6).all()
    # float32 rounding at an edge may put a photon into the neighbour: below 1e-3.
    assert np.mean(events.channel == index) > 1 - 1e-3
    assert_mean(events.true_energy_kev.astype(float), ENERGY[index], 0.02 / np.sqrt(12))


@pytest.mark.parametrize("first_channel", [0, 1, 40])
def test_channels_count_from_0_whatever_files_say(
    flat, first_channel
):  # SOXS, channels from 0 or 1
    matrix = replace(flat.redistribution, first_channel=first_channel)
    instrument = make_instrument(matrix)
    events = observed(point(instrument, photons=line(30)), instrument, counts=2000)
    assert np.median(events.channel) == 30
    assert events.energy_kev.mean() == pytest.approx(ENERGY[30], abs=2e-3)


@pytest.mark.parametrize("axis", ["x", "y", (1.0, 2.0, -0.5)])
def test_turning_the_gas_does_not_turn_the_background(flat, table, axis):  # SOXS, roll angle
    gas = gas_of(position_kpc=[[300.0, 100.0, -200.0]])
    sky = component(
        make_emitters(extent_arcsec=900.0), FoldedSpectra.for_view(flat_spectrum(), flat, VIEW),
        Shape.SQUARE, name="sky",
    )  # fmt: skip
    runs = []
    for rotation in (np.eye(3), rotation_from_axis(axis)):
        view = replace(VIEW, rotation=rotation)
        part = gas_component(gas, view, flat, redshift=0.1, nh_cm2=0.0, table=table)
        parts = [part, replace(sky, origin=3)]
        exposure = 2000 / expected_counts(sky, 1.0).sum()
        runs.append(draw(parts, view, flat, exposure))
    gas_first, gas_second = (run.select(run.origin == 1) for run in runs)
    first, second = (run.select(run.origin == 3) for run in runs)
    assert len(first) > 1000
    for name in Events.DTYPES:
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert gas_first.true_east_arcsec.mean() != pytest.approx(
        gas_second.true_east_arcsec.mean(), abs=5.0
    )


def test_right_ascension_is_not_quantised(flat):  # SOXS: float32 degrees, 0.1 arcsec at RA 350
    events = observed(point(flat), flat, counts=20_000)
    ra, _ = events.ra_dec(VIEW)
    gaps = np.diff(np.unique(ra)) * 3600 * np.cos(np.radians(60.0))
    assert np.median(gaps) < 0.01
    coarse = np.diff(np.unique(ra.astype(np.float32))) * 3600
    assert np.median(coarse) > 0.1


def test_declination_is_not_filled_from_right_ascension(flat):  # SOXS background/events.py:98
    events = observed(point(flat, east_arcsec=300.0, north_arcsec=-100.0), flat, counts=2000)
    for ra, dec in (events.ra_dec(VIEW), events.true_ra_dec(VIEW)):
        assert np.median(dec) == pytest.approx(-60.0 - 100.0 / 3600, abs=1e-3)
        cos_dec = np.cos(np.radians(np.median(dec)))
        assert (np.median(ra) - 350.0) * cos_dec == pytest.approx(300.0 / 3600, abs=1e-3)


def test_a_new_response_of_the_same_name_is_used(table):  # SOXS 4.7.1, stale response files
    rates = []
    for area in (1000.0, 500.0):
        instrument = make_instrument(area_cm2=area)
        part = gas_component(gas_of(), VIEW, instrument, redshift=0.1, nh_cm2=0.0, table=table)
        rates.append(expected_counts(part, 1.0)[0])
    assert rates[0] == pytest.approx(2 * rates[1], rel=1e-9)


def test_what_misses_the_field_gives_an_empty_result(flat):  # SOXS issue 5
    events = observed(point(flat, east_arcsec=5000.0), flat)
    assert len(events) == 0
    for name, dtype in Events.DTYPES.items():
        assert getattr(events, name).dtype == dtype
    ra, dec = events.ra_dec(VIEW)
    assert ra.shape == dec.shape == (0,)


def test_particles_are_not_vignetted(flat):  # ixpeobssim issue 185
    view = View(10.0, 5.0, "pointed", 3600.0)
    spectra = FoldedSpectra.for_view(flat_spectrum(), flat, view, area=False)
    part = component(make_emitters(east_arcsec=[0.0, 1200.0]), spectra, Shape.SQUARE)
    on_axis, off_axis = expected_counts(part, 1.0)
    assert on_axis == off_axis
    seen = component(part.emitters, FoldedSpectra.for_view(flat_spectrum(), flat, view))
    on_axis, off_axis = expected_counts(seen, 1.0)
    assert off_axis < 0.6 * on_axis


def test_no_percent_bias_over_many_repetitions(flat):  # ixpeobssim issue 112: seen after 500 runs
    response: Response = flat.response("survey")
    spectrum = 1e-4 * ENERGY**-1.5
    emitters = make_emitters(
        east_arcsec=np.linspace(-300, 300, 30), extent_arcsec=40.0, norm=np.linspace(0.1, 2, 30)
    )
    spectra = FoldedSpectra.for_view(spectrum[None, None], flat, VIEW)
    part = component(emitters, spectra, Shape.KERNEL)
    exposure = 2500 / expected_counts(part, 1.0).sum()
    total, energy, channels = 0, 0.0, np.zeros(N_E)
    for seed in range(200):
        events = draw(part, VIEW, flat, exposure, seed)
        total += len(events)
        energy += events.energy_kev.astype(float).sum()
        channels += channel_counts(events, flat.redistribution)
    assert_poisson(total, 200 * 2500, bias=0.012)
    expected = response.fold(spectrum)
    assert_chi_square(channels, 200 * 2500 * expected / expected.sum())
    mean = (expected * ENERGY).sum() / expected.sum()
    spread = np.sqrt((expected * (ENERGY - mean) ** 2).sum() / expected.sum())
    assert abs(energy / total - mean) < Z_MAX * spread / np.sqrt(total)
