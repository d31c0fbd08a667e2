"""From gas to emitters: absolute flux, distances, orientation, Doppler shifts, edges."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from icmass.errors import InputError, InputWarning
from icmass.simulate.constants import CM_PER_KPC, LIGHT_SPEED_KMS
from icmass.simulate.emission.absorption import transmission
from icmass.simulate.origin import Origin
from icmass.simulate.photons.emitters import Shape
from icmass.simulate.photons.expectation import expected_counts, expected_image
from icmass.simulate.photons.gas_component import gas_component, kpc_per_arcsec
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.view import View, rotation_from_axis
from tests.helpers.forward import (
    COSMOLOGY,
    EDGES_KEV,
    channel_counts,
    component,
    draw,
    gas_of,
    make_emitters,
)
from tests.helpers.stats import assert_chi_square, assert_poisson, chi_square

ENERGY = 0.5 * (EDGES_KEV[1:] + EDGES_KEV[:-1])
Z = 0.3


def place(gas, view, instrument, table, *, redshift=Z, nh_cm2=0.0):
    return gas_component(gas, view, instrument, redshift=redshift, nh_cm2=nh_cm2, table=table)


def cloud(n: int = 400, seed: int = 1):
    """Lopsided, moving gas of many temperatures."""
    rng = np.random.default_rng(seed)
    return gas_of(
        position_kpc=rng.normal(size=(n, 3)) * [300.0, 150.0, 80.0] + [100.0, -50.0, 20.0],
        velocity_kms=rng.normal(size=(n, 3)) * 500.0,
        kt_kev=rng.uniform(0.6, 12.0, n),
        metallicity_solar=rng.uniform(0, 1, n),
        emission_measure_cm3=rng.exponential(1e63, n),
        smoothing_kpc=rng.uniform(10.0, 60.0, n),
    )


def density_at(kt_kev: float, metallicity: float, energy: np.ndarray) -> np.ndarray:
    """The formula of `analytic_table`, photons s^-1 cm^3 keV^-1 at rest energy."""
    line = np.exp(-0.5 * ((energy - 1.0) / 0.1) ** 2)
    base = 1e-15 * np.exp(-energy / kt_kev) / (energy * np.sqrt(kt_kev))
    return base + metallicity * 4e-15 * np.exp(-1.0 / kt_kev) / kt_kev * line


def flux_by_hand(measure: float, kt: float, metals: float, redshift: float) -> np.ndarray:
    """EM / (4 pi D_M^2) eps(E (1 + z)) per keV of observed energy, photons/s/cm^2/keV."""
    distance = COSMOLOGY.comoving_transverse_distance(redshift).to_value("cm")
    return measure / (4 * np.pi * distance**2) * density_at(kt, metals, ENERGY * (1 + redshift))


@pytest.mark.parametrize("redshift", [0.02, 0.3, 0.9])
def test_absolute_flux_is_the_formula(flat, table, survey, redshift):
    kt = table.kt_kev[4]  # a node, where the table is the formula
    gas = gas_of(kt_kev=kt, metallicity_solar=0.4, emission_measure_cm3=3e66)
    part = place(gas, survey, flat, table, redshift=redshift)
    # Per unit norm cm^-5; folded with 1000 cm^2. Bins of both grids are narrow: 0.5%.
    spectrum = 1000.0 * 0.02 * flux_by_hand(3e66, kt, 0.4, redshift)
    rate = expected_counts(part, 1.0)[0]
    assert rate == pytest.approx(spectrum.sum(), rel=5e-3)
    for lo, hi in [(0.5, 1.2), (1.2, 2.0), (2.0, 7.0)]:
        inside = (lo < ENERGY) & (hi > ENERGY)
        found = expected_counts(part, 1.0, (lo, hi))[0]
        assert found == pytest.approx(spectrum[inside].sum(), rel=5e-3)
    # The errors that tools have made, each far outside the tolerance.
    one_more = spectrum.sum() / (1 + redshift)
    luminosity_distance = spectrum.sum() / (1 + redshift) ** 2
    h_forgotten = spectrum.sum() * 0.7**2
    # Emissivity at the observed energy, as if the gas stood here.
    rest_frame = spectrum.sum() * density_at(kt, 0.4, ENERGY).sum()
    rest_frame /= density_at(kt, 0.4, ENERGY * (1 + redshift)).sum()
    for wrong in (one_more, luminosity_distance, h_forgotten, rest_frame, 1.02 * rate):
        assert wrong != pytest.approx(rate, rel=1e-2)


def test_drawn_counts_have_that_flux(flat, table, survey):
    kt = table.kt_kev[3]
    gas = gas_of(kt_kev=kt, emission_measure_cm3=1e66, smoothing_kpc=5.0)
    spectrum = 1000.0 * 0.02 * flux_by_hand(1e66, kt, 0.3, Z)
    exposure = 400_000 / spectrum.sum()
    events = draw(place(gas, survey, flat, table), survey, flat, exposure)
    assert_poisson(len(events), exposure * spectrum.sum(), bias=0.02)
    counts = channel_counts(events, flat.redistribution)
    # In bands of 0.2 keV: the curvature inside bins averages out.
    wide = counts.reshape(-1, 10).sum(axis=1)
    model = exposure * spectrum.reshape(-1, 10).sum(axis=1)
    assert_chi_square(wide, model, z_max=6.0)
    for wrong in (model / (1 + Z), 1.02 * model, model[::-1]):
        assert chi_square(wide, wrong).z > 6.0


def test_particles_between_nodes_are_mixed_linearly_in_log_temperature(flat, table, survey):
    node, part, metals = 2, 0.37, 0.55
    kt = table.kt_kev[node] ** (1 - part) * table.kt_kev[node + 1] ** part
    both = place(gas_of(kt_kev=table.kt_kev[node : node + 2], metallicity_solar=metals), survey,
                 flat, table)  # fmt: skip
    low, high = expected_counts(both, 1.0)
    between = place(gas_of(kt_kev=kt, metallicity_solar=metals), survey, flat, table)
    assert between.emitters.node[0] == pytest.approx(node + part, abs=1e-5)
    assert expected_counts(between, 1.0)[0] == pytest.approx(
        (1 - part) * low + part * high, rel=1e-5
    )
    plain = expected_counts(
        place(gas_of(kt_kev=kt, metallicity_solar=0.0), survey, flat, table), 1.0
    )
    solar = expected_counts(
        place(gas_of(kt_kev=kt, metallicity_solar=1.0), survey, flat, table), 1.0
    )
    mixed = (1 - metals) * plain + metals * solar
    assert expected_counts(between, 1.0)[0] == pytest.approx(mixed[0], rel=1e-5)


def test_absorption_is_that_of_the_observed_energy(flat, table, survey):
    gas = gas_of(kt_kev=table.kt_kev[5])
    clear = place(gas, survey, flat, table)
    dimmed = place(gas, survey, flat, table, nh_cm2=1e21)
    band = (EDGES_KEV[30], EDGES_KEV[31])
    ratio = expected_counts(dimmed, 1.0, band)[0] / expected_counts(clear, 1.0, band)[0]
    assert ratio == pytest.approx(float(transmission(ENERGY[30], 1e21)), rel=2e-3)
    assert ratio != pytest.approx(float(transmission(ENERGY[30] * (1 + Z), 1e21)), rel=0.05)


AXES = {
    # line of sight: indices of the simulation axes that point east, north and away
    "x": (1, 2, 0),
    "y": (2, 0, 1),
    "z": (0, 1, 2),
}


@pytest.mark.parametrize("axis", AXES)
def test_axes_are_right_handed_and_away(flat, table, axis):
    view = View(10.0, 5.0, "survey", 7200.0, rotation_from_axis(axis))
    gas = gas_of(position_kpc=[[100.0, 20.0, -300.0]], velocity_kms=[[900.0, -1800.0, 300.0]])
    emitters = place(gas, view, flat, table).emitters
    scale = kpc_per_arcsec(Z, COSMOLOGY)
    east, north, away = AXES[axis]
    assert np.linalg.det(view.rotation) == pytest.approx(1.0)
    assert emitters.east_arcsec[0] == pytest.approx(gas.position_kpc[0, east] / scale, rel=1e-6)
    assert emitters.north_arcsec[0] == pytest.approx(gas.position_kpc[0, north] / scale, rel=1e-6)
    shift = 1 / (1 + gas.velocity_kms[0, away] / LIGHT_SPEED_KMS)
    assert emitters.energy_shift[0] == pytest.approx(shift, rel=1e-6)
    assert emitters.extent_arcsec[0] == pytest.approx(20.0 / scale, rel=1e-6)


def test_kpc_become_arcsec_by_the_angular_diameter_distance():
    # Independent: small-angle formula with astropy's own scale.
    for redshift in (0.05, 0.3, 1.2):
        expected = COSMOLOGY.kpc_proper_per_arcmin(redshift).to_value("kpc / arcmin") / 60.0
        assert kpc_per_arcsec(redshift, COSMOLOGY) == pytest.approx(expected, rel=1e-9)
        comoving = COSMOLOGY.kpc_comoving_per_arcmin(redshift).to_value("kpc / arcmin") / 60.0
        assert kpc_per_arcsec(redshift, COSMOLOGY) != pytest.approx(comoving, rel=0.02)


@pytest.mark.parametrize("redshift", [0.0, -0.1, np.nan, np.inf])
def test_there_is_no_distance_at_such_redshifts(flat, table, survey, redshift):
    with pytest.raises(InputError, match=r"^redshift: must be above 0.*--redshift 0\.1"):
        place(gas_of(), survey, flat, table, redshift=redshift)
    with pytest.raises(InputError, match="redshift: must be above 0"):
        kpc_per_arcsec(redshift, COSMOLOGY)


@pytest.mark.parametrize("nh", [-1.0, np.nan])
def test_a_column_density_that_is_none_is_refused(flat, table, survey, nh):
    with pytest.raises(InputError, match=r"nh_cm2: must be 0 or 1e\+16 to 1e\+26"):
        place(gas_of(), survey, flat, table, nh_cm2=nh)


def test_clamped_temperatures_are_counted(flat, table, survey):
    gas = gas_of(kt_kev=[0.0, 0.1, 0.4999, 0.5, 4.0, 16.0, 16.1])
    with pytest.warns(
        InputWarning, match=r"temperature: 3 particles below 0\.5 keV and 1 above 16"
    ):
        part = place(gas, survey, flat, table)
    rate = expected_counts(part, 1.0)
    np.testing.assert_allclose(rate[:3], rate[3], rtol=1e-12)
    assert rate[6] == pytest.approx(rate[5], rel=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        place(gas.select(slice(3, 6)), survey, flat, table)


def test_particles_that_cannot_reach_the_field_do_not_emit(flat, table):
    view = View(10.0, 5.0, "survey", 1200.0)
    scale = kpc_per_arcsec(Z, COSMOLOGY)
    reach = 600.0 + 240.0  # half the field and the PSF
    kpc = scale * np.array([0.0, 599.0, reach + 9.0, reach + 11.0, 1e5])
    for axis, sign in [(0, 1), (0, -1), (1, 1), (1, -1)]:
        position = np.zeros((5, 3))
        position[:, axis] = sign * kpc
        part = place(gas_of(position_kpc=position, smoothing_kpc=10.0 * scale), view, flat, table)
        assert (part.emitters.norm > 0).tolist() == [True, True, True, False, False]
    deep = place(gas_of(position_kpc=[[0.0, 0.0, 1e6]]), view, flat, table)
    assert deep.emitters.norm[0] > 0  # along the line of sight nothing is cut


@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_leaving_them_out_changes_no_photon_in_the_field(flat, table, mode):
    view = View(10.0, 5.0, mode, 900.0)
    scale = kpc_per_arcsec(Z, COSMOLOGY)
    ring = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    outside = 460.0 * scale * np.stack([np.cos(ring), np.sin(ring), 0 * ring], axis=1)
    part = place(gas_of(position_kpc=outside), view, flat, table)
    full = replace(
        part, emitters=replace(part.emitters, norm=np.full(200, part.emitters.norm.max()))
    )
    assert np.array_equal(part.emitters.norm, full.emitters.norm)
    assert len(draw(part, view, flat, 1e3)) > 0


def test_metamorphic_exposure_and_emission_measure(flat, table, survey):
    gas = cloud()
    part = place(gas, survey, flat, table)
    once = expected_counts(part, 1e4)
    np.testing.assert_allclose(expected_counts(part, 2e4), 2 * once, rtol=1e-12)
    double = replace(gas, emission_measure_cm3=2 * gas.emission_measure_cm3)
    np.testing.assert_allclose(
        expected_counts(place(double, survey, flat, table), 1e4), 2 * once, rtol=1e-12
    )


def image(gas, view, instrument, table):
    part = place(gas, view, instrument, table)
    grid = PixelGrid.cover(view, 12.0)
    return expected_image(part, view, instrument.psf(view.mode), 1e5, grid, (0.5, 2.0))


def test_metamorphic_halves_and_order(flat, table, survey):
    gas = cloud()
    whole = image(gas, survey, flat, table)
    half = np.arange(len(gas)) % 2 == 0
    parts = sum(image(gas.select(m), survey, flat, table) for m in (half, ~half))
    np.testing.assert_allclose(parts, whole, rtol=1e-6, atol=1e-9 * whole.max())
    order = np.random.default_rng(4).permutation(len(gas))
    shuffled = image(gas.select(order), survey, flat, table)
    np.testing.assert_allclose(shuffled, whole, rtol=1e-6, atol=1e-9 * whole.max())


@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_metamorphic_rotating_gas_and_line_of_sight_together(flat, table, mode):
    view = View(10.0, -60.0, mode, 1200.0)
    gas = cloud()
    # An arbitrary rotation, by QR.
    turn, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    turned = replace(
        gas, position_kpc=gas.position_kpc @ turn.T, velocity_kms=gas.velocity_kms @ turn.T
    )
    same = replace(view, rotation=rotation_from_axis(view.rotation @ turn.T))
    first, second = image(gas, view, flat, table), image(turned, same, flat, table)
    np.testing.assert_allclose(second, first, rtol=1e-3, atol=1e-4 * first.max())
    other = image(turned, view, flat, table)
    assert np.abs(other - first).max() > 0.2 * first.max()
    a, b = (place(g, v, flat, table).emitters for g, v in ((gas, view), (turned, same)))
    np.testing.assert_allclose(a.energy_shift, b.energy_shift, rtol=1e-6)


def test_emitters_keep_the_order_and_names_of_the_particles(flat, table, survey):
    gas = cloud()
    part = place(gas, survey, flat, table)
    assert part.name == "gas"
    assert part.origin == Origin.ICM
    assert part.shape == Shape.KERNEL
    assert part.psf
    assert len(part.emitters) == len(gas)
    np.testing.assert_allclose(part.emitters.mix, gas.metallicity_solar, rtol=1e-6)
    assert part.emitters.norm.dtype == np.float64
    distance = kpc_per_arcsec(Z, COSMOLOGY) * 206264.806 * (1 + Z) * CM_PER_KPC
    expected = gas.emission_measure_cm3 / (4 * np.pi * distance**2)
    np.testing.assert_allclose(part.emitters.norm, expected, rtol=1e-6)


@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_photons_are_conserved_from_emission_measure_to_spectrum(sloped, table, mode):
    # emission measure -> photons -> events in = image + outside = spectrum, to 0.5%.
    view = View(10.0, -60.0, mode, 900.0)
    gas = cloud(2000)
    kt, metals = gas.kt_kev, gas.metallicity_solar
    part = place(gas, view, sloped, table)
    exposure = 1e6 / expected_counts(part, 1.0).sum()
    response = sloped.response(mode)
    distance = COSMOLOGY.comoving_transverse_distance(Z).to_value("cm")
    base, metal = table.photons(EDGES_KEV, Z)
    node = np.interp(np.log(kt), np.log(table.kt_kev), np.arange(table.kt_kev.size))
    low = np.minimum(node.astype(int), table.kt_kev.size - 2)
    share = (node - low)[:, None]
    spectra = (1 - share) * (base[low] + metals[:, None] * metal[low])
    spectra += share * (base[low + 1] + metals[:, None] * metal[low + 1])
    spectra *= (gas.emission_measure_cm3 / (4 * np.pi * distance**2))[:, None] * exposure
    if mode == "pointed":
        theta = np.hypot(part.emitters.east_arcsec, part.emitters.north_arcsec) / 60.0
        spectra *= sloped.vignetting.factor(ENERGY, np.minimum(theta, 16.0))
    folded = response.fold(spectra)
    reach = part.emitters.norm > 0
    by_hand = folded[reach].sum()
    expected = expected_counts(part, exposure).sum()
    assert expected == pytest.approx(by_hand, rel=5e-3)

    events = draw(part, view, sloped, exposure)
    whole = draw(part, replace(view, width_arcsec=20 * 3600.0), sloped, exposure)
    outside = len(whole) - len(events)
    assert_poisson(len(events) + outside, by_hand, bias=0.01)
    grid = PixelGrid.cover(view, 4.0)
    assert grid.histogram(events.east_arcsec, events.north_arcsec).sum() == len(events)
    assert channel_counts(events, sloped.redistribution).sum() == len(events)
    inside = expected_image(part, view, sloped.psf(mode), exposure, grid, (0.0, 20.0)).sum()
    assert len(events) == pytest.approx(inside, rel=5e-3)
    # Photon energy: the mean of what is drawn is that of what is emitted and seen.
    seen = spectra[reach] * response.area_cm2
    mean = (seen * ENERGY).sum() / seen.sum()
    assert whole.true_energy_kev.astype(np.float64).mean() == pytest.approx(mean, rel=5e-3)
    assert whole.energy_kev.astype(np.float64).mean() == pytest.approx(mean, rel=5e-3)


def test_particles_and_sources_of_one_place_agree(flat, table, survey):
    # The same light as a gas particle without extent and as a point source.
    gas = gas_of(position_kpc=[[50.0, 80.0, 0.0]], smoothing_kpc=0.0, kt_kev=table.kt_kev[4])
    part = place(gas, survey, flat, table)
    point = component(make_emitters(
        east_arcsec=part.emitters.east_arcsec, north_arcsec=part.emitters.north_arcsec,
        node=part.emitters.node, mix=part.emitters.mix, norm=part.emitters.norm,
    ), part.spectra, Shape.POINT, name="gas")  # fmt: skip
    exposure = 5e4 / expected_counts(part, 1.0)[0]
    assert expected_counts(point, exposure)[0] == pytest.approx(5e4, rel=1e-6)
    first, second = (draw(p, survey, flat, exposure) for p in (part, point))
    assert np.array_equal(first.east_arcsec, second.east_arcsec)
    assert np.array_equal(first.energy_kev, second.energy_kev)
