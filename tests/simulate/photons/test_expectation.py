"""The expected image is what the mean of many draws tends to, and conserves counts."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.simulate.photons.emitters import Shape
from icmass.simulate.photons.expectation import expected_counts, expected_image
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.pixel_grid import PixelGrid
from icmass.simulate.view import View
from tests.helpers.forward import (
    EDGES_KEV,
    component,
    draw,
    flat_spectrum,
    make_emitters,
    make_instrument,
)
from tests.helpers.stats import Z_MAX, assert_chi_square, chi_square

ALL_KEV = (0.0, 20.0)
COUNTS = 160_000


def cluster(n: int = 3000, extent: tuple[float, float] = (5.0, 120.0), seed: int = 1, **more):
    """Emitters about a place off axis: elongated, of many sizes, brighter within."""
    rng = np.random.default_rng(seed)
    r = 250.0 * rng.random(n) ** 1.5
    angle = rng.uniform(0, 2 * np.pi, n)
    return make_emitters(
        east_arcsec=120.0 + 1.3 * r * np.cos(angle),
        north_arcsec=-60.0 + 0.7 * r * np.sin(angle),
        extent_arcsec=rng.uniform(*extent, n),
        norm=np.exp(-r / 100.0),
        **more,
    )


def points(n: int = 200, seed: int = 2):
    rng = np.random.default_rng(seed)
    return make_emitters(
        east_arcsec=rng.uniform(-650, 650, n),
        north_arcsec=rng.uniform(-650, 650, n),
        norm=rng.pareto(1.5, n) + 1,
    )


def sky(width: float, count: int):
    """Squares that tile a square field exactly, not all equally bright."""
    side = width / count
    centre = (np.arange(count) + 0.5) * side - width / 2
    east, north = (g.ravel() for g in np.meshgrid(centre, centre))
    return make_emitters(
        east_arcsec=east,
        north_arcsec=north,
        extent_arcsec=side / 2,
        norm=1.0 + 0.7 * np.sin(east / 300.0 + 0.8) * np.cos(north / 200.0 - 0.6),
    )


def scene(shape: Shape, width: float):
    return {
        Shape.KERNEL: cluster(),
        Shape.POINT: points(),
        Shape.SQUARE: sky(width, 15),
    }[shape]


def exposure_for(part, counts: float = COUNTS) -> float:
    return counts / expected_counts(part, 1.0).sum()


def image_of(events, grid, band=ALL_KEV):
    chosen = (events.energy_kev >= band[0]) & (events.energy_kev < band[1])
    return grid.histogram(events.east_arcsec[chosen], events.north_arcsec[chosen])


GRIDS = {
    "4 arcsec": PixelGrid(300, 300, 4.0),
    "odd": PixelGrid(173, 201, 7.0),
    "off centre": PixelGrid(60, 91, 9.0, 210.0, -130.0),
    "27 arcsec": PixelGrid(45, 45, 27.0),
    "one pixel": PixelGrid(1, 1, 150.0, 100.0, -50.0),
}


@pytest.mark.parametrize("mode", ["survey", "pointed"])
@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("shape", list(Shape), ids=lambda s: s.name)
def test_images_of_draws_scatter_about_the_expectation(flat, shape, name, mode):
    view, grid = View(10.0, -60.0, mode, 1200.0), GRIDS[name]
    emitters = scene(shape, view.width_arcsec)
    spectra = FoldedSpectra.for_view(flat_spectrum(), flat, view)
    part = component(emitters, spectra, shape)
    exposure = exposure_for(part)
    expected = expected_image(part, view, flat.psf(mode), exposure, grid, ALL_KEV)
    for seed in (1, 2):
        counts = image_of(draw(part, view, flat, exposure, seed), grid)
        assert_chi_square(counts, expected)
    if name == "one pixel":
        return
    if expected.sum() > 1e5:
        with pytest.raises(AssertionError):
            assert_chi_square(counts, 1.02 * expected)
    if shape == Shape.SQUARE and name == "off centre":
        return  # too little of a smooth pattern to tell its directions
    for wrong in (expected[::-1], expected[:, ::-1], np.rot90(expected, 2)):
        assert chi_square(counts, wrong + 1e-9).z > Z_MAX
    if grid.n_x == grid.n_y:
        assert chi_square(counts, expected.T + 1e-9).z > Z_MAX


@pytest.mark.parametrize("shape", [Shape.KERNEL, Shape.POINT], ids=lambda s: s.name)
@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_another_psf_is_noticed(flat, mode, shape):
    view, grid = View(10.0, -60.0, mode, 1200.0), GRIDS["4 arcsec"]
    emitters = cluster(40, extent=(2.0, 10.0)) if shape == Shape.KERNEL else points(40)
    part = component(emitters, FoldedSpectra.for_view(flat_spectrum(), flat, view), shape)
    exposure = exposure_for(part)
    counts = image_of(draw(part, view, flat, exposure), grid)
    psf = flat.psf(mode)
    assert_chi_square(counts, expected_image(part, view, psf, exposure, grid, ALL_KEV))
    for wrong in (
        replace(psf, core_arcsec=0.9 * psf.core_arcsec, wing_arcsec=0.9 * psf.wing_arcsec),
        replace(psf, core_arcsec=1.1 * psf.core_arcsec),
        *(
            [replace(psf, growth_arcmin=np.inf)]
            if (mode, shape) == ("pointed", Shape.POINT)
            else []
        ),
    ):
        expected = expected_image(part, view, wrong, exposure, grid, ALL_KEV)
        assert chi_square(counts, expected + 1e-9).z > Z_MAX


@pytest.mark.parametrize("band", [(0.5, 1.2), (1.2, 2.0), (2.0, 7.0), (1.013, 1.027)])
def test_images_of_a_band(sloped, band):
    view, grid = View(10.0, -60.0, "pointed", 1200.0), GRIDS["27 arcsec"]
    energy = 0.5 * (EDGES_KEV[1:] + EDGES_KEV[:-1])
    photons = 1e-4 * np.stack([
        np.stack([np.exp(-energy / kt), np.exp(-0.5 * ((energy - 1) / 0.2) ** 2)])
        for kt in (1.0, 4.0)
    ])  # fmt: skip
    rng = np.random.default_rng(9)
    emitters = cluster(500, node=rng.random(500), mix=rng.random(500))
    part = component(emitters, FoldedSpectra.for_view(photons, sloped, view), Shape.KERNEL)
    exposure = exposure_for(part, 400_000)
    expected = expected_image(part, view, sloped.psf("pointed"), exposure, grid, band)
    counts = image_of(draw(part, view, sloped, exposure), grid, band)
    assert_chi_square(counts, expected)


@pytest.mark.parametrize("mode", ["survey", "pointed"])
@pytest.mark.parametrize("shape", list(Shape), ids=lambda s: s.name)
@pytest.mark.parametrize("pixel", [4.0, 27.0])
def test_no_count_is_lost_or_made(flat, shape, mode, pixel):
    view = View(10.0, -60.0, mode, 6000.0)  # wide enough for all
    grid = PixelGrid.cover(view, pixel, 2400.0)
    spectra = FoldedSpectra.for_view(flat_spectrum(), flat, view)
    part = component(scene(shape, 1200.0), spectra, shape)
    image = expected_image(part, view, flat.psf(mode), 1e4, grid, ALL_KEV)
    total = expected_counts(part, 1e4).sum()
    # The PSF of points is sampled: 2e-3. Convolution and overlap are exact.
    tolerance = 2e-3 if shape == Shape.POINT else 1e-9
    assert image.sum() == pytest.approx(total, rel=tolerance)
    assert (image >= 0).all()


def test_what_the_image_loses_is_what_falls_outside(flat):
    view = View(10.0, -60.0, "survey", 400.0)
    part = component(cluster(), FoldedSpectra.for_view(flat_spectrum(), flat, view), Shape.KERNEL)
    exposure = exposure_for(part, 1e6)
    inside = expected_image(
        part, view, flat.psf("survey"), exposure, PixelGrid.cover(view, 4.0), ALL_KEV
    ).sum()
    assert 0.3e6 < inside < 0.9e6
    events = draw(part, view, flat, exposure)
    assert abs(len(events) - inside) < Z_MAX * np.sqrt(inside) + 5e-4 * inside


@pytest.mark.parametrize("mode", ["survey", "pointed"])
def test_pixels_at_the_edge_of_the_field_hold_their_share(flat, mode):
    # 1200 arcsec are 44.4 pixels of 27 arcsec: the outermost are cut.
    view, grid = View(10.0, -60.0, mode, 1200.0), GRIDS["27 arcsec"]
    spectra = FoldedSpectra.for_view(flat_spectrum(), flat, replace(view, mode="survey"))
    part = component(sky(1200.0, 3), spectra, Shape.SQUARE)
    exposure = exposure_for(part, 1e6)
    expected = expected_image(part, view, flat.psf(mode), exposure, grid, ALL_KEV)
    counts = image_of(draw(part, view, flat, exposure), grid)
    share = grid.field_fraction(view, subdivisions=101)
    rim = (share > 0) & (share < 1)
    assert abs(counts[rim].sum() - expected[rim].sum()) < Z_MAX * np.sqrt(counts[rim].sum())
    assert_chi_square(counts[rim], expected[rim])


def test_counts_of_a_band_add_up(sloped):
    view = View(10.0, -60.0, "pointed", 1200.0)
    part = component(
        cluster(100), FoldedSpectra.for_view(flat_spectrum(), sloped, view), Shape.KERNEL
    )
    whole = expected_counts(part, 10.0)
    parts = sum(expected_counts(part, 10.0, band) for band in [(0, 1), (1, 2.3), (2.3, 20)])
    np.testing.assert_allclose(parts, whole, rtol=1e-6)
    np.testing.assert_allclose(expected_counts(part, 20.0), 2 * whole, rtol=1e-12)


def test_counts_off_axis_equal_a_slow_twin(sloped):
    view = View(10.0, -60.0, "pointed", 3600.0)
    energy = 0.5 * (EDGES_KEV[1:] + EDGES_KEV[:-1])
    rng = np.random.default_rng(3)
    photons = rng.random((4, 2, energy.size))
    emitters = make_emitters(
        east_arcsec=rng.uniform(-2600, 2600, 50),
        north_arcsec=rng.uniform(-2600, 2600, 50),
        node=rng.uniform(0, 3, 50),
        mix=rng.random(50),
        norm=rng.random(50),
    )
    spectra = FoldedSpectra.for_view(photons, sloped, view)
    found = expected_counts(component(emitters, spectra), 7.0)
    area = sloped.response("pointed").area_cm2
    for i in range(50):
        theta = np.hypot(float(emitters.east_arcsec[i]), float(emitters.north_arcsec[i])) / 60
        theta = min(theta, spectra.theta_arcmin[-1])
        low = int(min(theta // 4.0, len(spectra.theta_arcmin) - 2))
        near = sloped.vignetting.factor(energy, spectra.theta_arcmin[low])[0]
        far = sloped.vignetting.factor(energy, spectra.theta_arcmin[low + 1])[0]
        part = theta / 4.0 - low
        loss = (1 - part) * near + part * far
        node = float(emitters.node[i])
        k = min(int(node), 2)
        both = photons[:, 0] + float(emitters.mix[i]) * photons[:, 1]
        spectrum = (1 - node + k) * both[k] + (node - k) * both[k + 1]
        twin = 7.0 * emitters.norm[i] * (spectrum * area * loss).sum()
        assert found[i] == pytest.approx(twin, rel=1e-5)
        # Linear between angles 4 arcmin apart: the vignetting itself to 1%.
        exact = sloped.vignetting.factor(energy, theta)[0]
        assert twin == pytest.approx(
            7.0 * emitters.norm[i] * (spectrum * area * exact).sum(), rel=0.01
        )


def test_vignetted_draws_have_the_counts_and_spectrum_of_their_angle():
    energy = 0.5 * (EDGES_KEV[1:] + EDGES_KEV[:-1])
    instrument = make_instrument(area_cm2=600.0)
    view = View(10.0, -60.0, "pointed", 7200.0)
    theta = 13.0  # between two angles of the table
    spectra = FoldedSpectra.for_view(flat_spectrum(), instrument, view)
    part = component(make_emitters(east_arcsec=60 * theta), spectra)
    flux = flat_spectrum()[0, 0]
    loss = 0.75 * instrument.vignetting.factor(energy, 12.0)[0]
    loss += 0.25 * instrument.vignetting.factor(energy, 16.0)[0]
    exposure = COUNTS / (flux * 600.0 * loss).sum()
    events = draw(part, view, instrument, exposure)
    counts = np.bincount(events.channel, minlength=energy.size)
    assert_chi_square(counts, exposure * flux * 600.0 * loss)
    with pytest.raises(AssertionError):
        assert_chi_square(counts, exposure * flux * 600.0)
    with pytest.raises(AssertionError):
        assert_chi_square(counts, exposure * flux * 600.0 * loss.mean())
