"""Spectra folded with the telescope: rates, bands, vignetting, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.simulate.instrument import Response
from icmass.simulate.instrument.vignetting import Vignetting
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.view import View
from tests.helpers.forward import EDGES_KEV, blurred, diagonal

N_E = EDGES_KEV.size - 1
ENERGY = 0.5 * (EDGES_KEV[1:] + EDGES_KEV[:-1])
PHOTONS = np.stack([
    np.stack([np.exp(-ENERGY / kt), 0.3 * np.exp(-0.5 * ((ENERGY - kt) / 0.3) ** 2)])
    for kt in (1.0, 2.0, 5.0)
])  # fmt: skip
AREA = 800.0 / (1.0 + ENERGY)


def test_rate_is_the_sum_of_photons_times_area():
    folded = FoldedSpectra.build(PHOTONS, Response(diagonal(), AREA))
    assert folded.rate.shape == (1, 3, 2)
    np.testing.assert_allclose(folded.rate[0], (PHOTONS * AREA).sum(axis=-1), rtol=1e-12)


def test_particles_pass_without_area():
    folded = FoldedSpectra.build(PHOTONS, Response(diagonal(), AREA), area=False)
    np.testing.assert_allclose(folded.rate[0], PHOTONS.sum(axis=-1), rtol=1e-12)


def test_rows_below_one_lose_their_photons():
    recorded = np.linspace(0.2, 0.9, N_E)
    folded = FoldedSpectra.build(PHOTONS, Response(diagonal(recorded), AREA))
    expected = (PHOTONS * AREA * recorded).sum(axis=-1)
    np.testing.assert_allclose(folded.rate[0], expected, rtol=1e-6)
    assert (folded.rate[0] < 0.9 * (PHOTONS * AREA).sum(axis=-1)).all()


def test_cdf_is_that_of_the_detected_photons():
    folded = FoldedSpectra.build(PHOTONS, Response(diagonal(), AREA))
    seen = np.cumsum(PHOTONS * AREA, axis=-1)
    np.testing.assert_allclose(folded.cdf[0], seen / seen[..., -1:], atol=1e-7)
    assert (np.diff(folded.cdf, axis=-1) >= 0).all()
    assert (folded.cdf[..., -1] == 1.0).all()


def test_tables_are_contiguous_whatever_the_spectra_are():
    # Else the search is slow, and the kernel is compiled once more.
    turned = np.asfortranarray(PHOTONS)
    folded = FoldedSpectra.build(turned, Response(diagonal(), AREA))
    plain = FoldedSpectra.build(PHOTONS, Response(diagonal(), AREA))
    for name in ("rate", "cdf", "guide"):
        assert getattr(folded, name).flags.c_contiguous, name
        np.testing.assert_allclose(getattr(folded, name), getattr(plain, name), rtol=1e-6)
    assert folded.two_parts.flags.c_contiguous


def test_a_dark_spectrum_has_no_rate_and_a_valid_table():
    dark = PHOTONS.copy()
    dark[1, 1] = 0.0
    folded = FoldedSpectra.build(dark, Response(diagonal(), AREA))
    assert folded.rate[0, 1, 1] == 0.0
    assert folded.cdf[0, 1, 1, -1] == 1.0
    assert np.isfinite(folded.cdf).all()


@pytest.mark.parametrize("matrix", [diagonal(), diagonal(0.6), blurred()], ids=["1", "0.6", "blur"])
def test_bands_are_those_of_the_response(matrix):
    response = Response(matrix, AREA)
    folded = FoldedSpectra.build(PHOTONS, response)
    counts = response.fold(PHOTONS)
    edges = matrix.channel_edges_kev
    for lo, hi in [(edges[0], edges[-1]), (edges[30], edges[90]), (edges[90], edges[200])]:
        inside = (edges[:-1] >= lo) & (edges[1:] <= hi)
        expected = counts[..., inside].sum(axis=-1)
        np.testing.assert_allclose(folded.band_rate(lo, hi)[0], expected, rtol=1e-4, atol=1e-4)


def test_bands_add_up_to_the_rate():
    folded = FoldedSpectra.build(PHOTONS, Response(blurred(), AREA))
    cuts = [0.0, 0.523, 1.2, 2.0, 7.0, 20.0]
    parts = sum(folded.band_rate(lo, hi) for lo, hi in pairwise(cuts))
    np.testing.assert_allclose(parts, folded.rate, rtol=1e-6)
    assert (folded.band_rate(20.0, 30.0) == 0.0).all()


def test_a_band_that_cuts_a_channel_takes_its_share():
    folded = FoldedSpectra.build(PHOTONS, Response(diagonal(), AREA))
    lo, hi = EDGES_KEV[50], EDGES_KEV[51]
    whole, part = folded.band_rate(lo, hi), folded.band_rate(lo, lo + 0.25 * (hi - lo))
    np.testing.assert_allclose(part, 0.25 * whole, rtol=1e-6)


def test_vignetting_takes_its_share_at_every_angle_and_energy():
    vignetting = Vignetting(np.array([1.0, 5.0]), np.array([30.0, 12.0]))
    theta = np.array([0.0, 10.0, 25.0])
    folded = FoldedSpectra.build(
        PHOTONS, Response(diagonal(), AREA), vignetting=vignetting, theta_arcmin=theta
    )
    for t, angle in enumerate(theta):
        scale = np.interp(np.log(ENERGY), np.log([1.0, 5.0]), [30.0, 12.0])
        seen = PHOTONS * AREA * np.exp(-angle / scale)
        np.testing.assert_allclose(folded.rate[t], seen.sum(axis=-1), rtol=1e-12)
        np.testing.assert_allclose(
            folded.cdf[t], np.cumsum(seen, axis=-1) / seen.sum(axis=-1)[..., None], atol=1e-7
        )
    # Hard photons are lost first.
    hard = folded.band_rate(4.0, 8.3) / folded.rate
    assert (np.diff(hard[:, :, 0], axis=0) < 0).all()


def test_survey_has_no_angle_and_pointed_reaches_beyond_the_field(flat):
    survey = FoldedSpectra.for_view(PHOTONS, flat, View(0.0, 0.0, "survey", 3600.0))
    assert survey.theta_arcmin.tolist() == [0.0]
    pointed = FoldedSpectra.for_view(PHOTONS, flat, View(0.0, 0.0, "pointed", 3600.0))
    assert pointed.theta_arcmin[0] == 0.0
    assert pointed.theta_arcmin[-1] > 30.0 + 240.0 / 60.0
    np.testing.assert_allclose(pointed.rate[0], survey.rate[0], rtol=1e-12)
    particles = FoldedSpectra.for_view(PHOTONS, flat, View(0.0, 0.0, "pointed", 3600.0), area=False)
    assert particles.theta_arcmin.tolist() == [0.0]  # no vignetting of what passes no mirror


@pytest.mark.parametrize(
    "shape", [(N_E,), (1, N_E), (3, 2, N_E + 1), (3, 2, N_E - 1), (3, 3, N_E), (3, 0, N_E)]
)
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(InputError, match=rf"photons: must have shape .*{N_E}\); got"):
        FoldedSpectra.build(np.ones(shape), Response(diagonal(), AREA))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_spectra_that_are_none_are_refused(bad):
    photons = PHOTONS.copy()
    photons[1, 0, 7] = bad
    with pytest.raises(InputError, match="photons: spectra must be finite and not negative"):
        FoldedSpectra.build(photons, Response(diagonal(), AREA))
