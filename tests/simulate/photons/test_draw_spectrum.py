"""Energies of drawn photons: spectrum, mixtures, Doppler shift, redistribution, modules, times."""

from dataclasses import replace

import numpy as np
import pytest

from icmass.simulate.constants import LIGHT_SPEED_KMS
from icmass.simulate.instrument import Instrument, Response
from icmass.simulate.photons.emitters import Emitters
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.photons.folded import FoldedSpectra
from icmass.simulate.view import View
from tests.helpers.forward import (
    EDGES_KEV,
    MODULE_WEIGHTS,
    blurred,
    channel_counts,
    component,
    diagonal,
    draw,
    flat_spectrum,
    make_emitters,
    make_instrument,
)
from tests.helpers.stats import (
    Z_MAX,
    assert_chi_square,
    assert_distribution,
    assert_mean,
    chi_square,
)

ENERGY = 0.5 * (EDGES_KEV[1:] + EDGES_KEV[:-1])
N_E = ENERGY.size
# Two nodes and two parts of quite different shape.
PHOTONS = 1e-4 * np.stack([
    np.stack([np.exp(-ENERGY / kt), np.exp(-0.5 * ((ENERGY - kt) / 0.4) ** 2)]) for kt in (1.0, 3.0)
])  # fmt: skip
WIDE = View(0.0, 0.0, "survey", 7200.0)
COUNTS = 200_000  # a flux wrong by 2% is 9 sigma off in the total alone


def observed(instrument, emitters, photons=PHOTONS, counts=COUNTS, seed=1):
    """Events of emitters, of about `counts` photons, and the exposure that gives them."""
    spectra = FoldedSpectra.for_view(photons, instrument, WIDE)
    part = component(emitters, spectra)
    exposure = counts / expected_counts(part, 1.0).sum()
    return draw(part, WIDE, instrument, exposure, seed), exposure


def channels_expected(instrument, node, mix, exposure, photons=PHOTONS):
    low, part = int(node), node - int(node)
    both = photons[:, 0] + mix * photons[:, 1]
    spectrum = both[low] if part == 0 else (1 - part) * both[low] + part * both[low + 1]
    return exposure * instrument.response("survey").fold(spectrum)


@pytest.mark.parametrize(
    ("node", "mix"), [(0.0, 0.0), (0.0, 2.0), (0.3, 0.7), (0.5, 0.0), (1.0, 0.4)]
)
def test_channels_follow_the_folded_mixture(sloped, node, mix):
    events, exposure = observed(sloped, make_emitters(node=node, mix=mix))
    counts = channel_counts(events, sloped.redistribution)
    expected = channels_expected(sloped, node, mix, exposure)
    assert_chi_square(counts, expected)
    total = expected.sum()
    wrong = {
        "flux x 1.02": 1.02 * expected,
        "energies reversed": expected[::-1],
        "one channel off": np.roll(expected, 1),
        "other metals": channels_expected(sloped, node, mix + 0.1, exposure),
        "other node": channels_expected(sloped, abs(node - 0.1), mix, exposure),
    }
    for name, model in wrong.items():
        z = chi_square(counts, model * (total / model.sum() if name != "flux x 1.02" else 1)).z
        z_total = abs(counts.sum() - model.sum()) / np.sqrt(model.sum())
        assert max(z, z_total) > Z_MAX, name


def test_the_nearest_node_instead_of_the_mixture_is_noticed(sloped):
    events, exposure = observed(sloped, make_emitters(node=0.4, mix=0.5))
    counts = channel_counts(events, sloped.redistribution)
    for node in (0.0, 1.0):
        model = channels_expected(sloped, node, 0.5, exposure)
        assert chi_square(counts, model * counts.sum() / model.sum()).z > Z_MAX


def test_ignoring_the_redistribution_is_noticed(sloped):
    line = np.zeros((1, 1, N_E))
    line[..., 100] = 1e-3
    events, _ = observed(sloped, make_emitters(), line)
    counts = channel_counts(events, sloped.redistribution)
    expected = sloped.redistribution.matrix()[100]
    assert_chi_square(counts, events.channel.size * expected)
    sharp = np.histogram(events.true_energy_kev, sloped.redistribution.channel_edges_kev)[0]
    with pytest.raises(AssertionError):
        assert_chi_square(sharp, events.channel.size * expected)


def test_rows_below_one_lose_photons_but_keep_their_shape():
    recorded = np.linspace(0.3, 0.9, N_E)
    lossy = make_instrument(diagonal(recorded))
    events, exposure = observed(lossy, make_emitters(node=0.5, mix=0.5))
    counts = channel_counts(events, lossy.redistribution)
    assert_chi_square(counts, channels_expected(lossy, 0.5, 0.5, exposure))
    whole = channels_expected(make_instrument(), 0.5, 0.5, exposure)
    with pytest.raises(AssertionError):
        assert_chi_square(counts, whole)


def test_counts_are_those_of_every_emitter(sloped):
    n = 40
    rng = np.random.default_rng(2)
    emitters = make_emitters(
        node=rng.random(n), mix=rng.random(n), norm=rng.lognormal(0, 1, n), east_arcsec=np.arange(n)
    )
    events, exposure = observed(sloped, emitters)
    spectra = FoldedSpectra.for_view(PHOTONS, sloped, WIDE)
    expected = expected_counts(component(emitters, spectra), exposure)
    by_hand = np.array([
        norm * channels_expected(sloped, float(node), float(mix), exposure).sum()
        for node, mix, norm in zip(emitters.node, emitters.mix, emitters.norm, strict=True)
    ])  # fmt: skip
    np.testing.assert_allclose(expected, by_hand, rtol=1e-5)
    assert_chi_square(np.bincount(events.parent, minlength=n), by_hand)


def test_energies_are_uniform_inside_bin_and_channel(flat):
    events, _ = observed(flat, make_emitters(), flat_spectrum())
    for energy in (events.true_energy_kev, events.energy_kev):
        assert_distribution(energy, lambda e: np.clip((e - 0.3) / 8.0, 0, 1))
        place = np.modf((energy.astype(np.float64) - 0.3) / 0.02)[0]
        assert_distribution(place, lambda x: x, p_min=1e-5)
    # Inside its own channel to the rounding of a float32.
    edges = flat.redistribution.channel_edges_kev
    tolerance = 1e-6
    assert (events.energy_kev >= edges[events.channel] - tolerance).all()
    assert (events.energy_kev <= edges[events.channel + 1] + tolerance).all()
    # Diagonal: recorded in the channel of the true energy, though not at it.
    inside = np.searchsorted(edges, events.true_energy_kev.astype(np.float64), "right") - 1
    assert np.mean(inside != events.channel) < 1e-3
    assert not np.array_equal(events.energy_kev, events.true_energy_kev)


@pytest.mark.parametrize("speed_kms", [3000.0, -3000.0, 30.0])
def test_receding_gas_is_redder(flat, speed_kms):
    line = np.zeros((1, 1, N_E))
    line[..., 200] = 1e-3
    shift = 1.0 / (1.0 + speed_kms / LIGHT_SPEED_KMS)
    events, _ = observed(flat, make_emitters(energy_shift=shift), line, counts=40_000)
    centre, width = ENERGY[200], 0.02
    sigma = width * shift / np.sqrt(12.0)
    assert_mean(events.true_energy_kev.astype(np.float64), centre * shift, sigma)
    # Power: the mean is known to 3e-5 keV; 30 km/s shift a line at 4.3 keV by 4e-4 keV.
    with pytest.raises(AssertionError):
        assert_mean(events.true_energy_kev.astype(np.float64), centre / shift, sigma)
    if abs(speed_kms) > 1000:  # more than a channel: the detector sees it as well
        # A channel adds its own width, the second half of the scatter.
        assert_mean(events.energy_kev.astype(np.float64), centre * shift, 2 * sigma, z_max=30)
        assert np.sign(centre - events.energy_kev.mean()) == np.sign(speed_kms)


@pytest.mark.parametrize("shift", [1.3, 0.7])
def test_photons_shifted_beyond_the_response_stay_in_its_channels(flat, shift):
    events, _ = observed(flat, make_emitters(energy_shift=shift), flat_spectrum(), counts=50_000)
    assert events.channel.min() >= 0
    assert events.channel.max() < flat.redistribution.n_channel
    beyond = events.true_energy_kev > EDGES_KEV[-1]
    assert (events.channel[beyond] == N_E - 1).all()
    below = events.true_energy_kev < EDGES_KEV[0]
    assert (events.channel[below] == 0).all()


def test_photons_shifted_into_energies_that_are_not_recorded_are_lost():
    # Rows without channels, as real matrices have outside the range of the detector.
    start = np.r_[np.zeros(100), np.arange(N_E - 200 + 1), np.full(100, N_E - 200)].astype(np.int64)
    matrix = replace(
        diagonal(),
        row_start=start,
        row_channel=np.arange(N_E, dtype=np.int32),
        probability=np.ones(N_E - 200, np.float32),
    )
    instrument = make_instrument(matrix)
    for shift in (0.9, 1.1):
        events, _ = observed(
            instrument, make_emitters(energy_shift=shift), flat_spectrum(), counts=50_000
        )
        edge = EDGES_KEV[100] if shift < 1 else EDGES_KEV[-101]
        span = EDGES_KEV[-101] - EDGES_KEV[100]
        kept = 1.0 - abs(edge - edge / shift) / span
        assert_mean([len(events)], 50_000 * kept, np.sqrt(50_000 * kept))
        assert events.channel.min() >= 100
        assert events.channel.max() < N_E - 100


def test_modules_share_as_they_weigh(flat):
    events, _ = observed(flat, make_emitters(), flat_spectrum())
    numbers, counts = np.unique(events.module, return_counts=True)
    assert numbers.tolist() == [1, 2, 4, 7]
    expected = len(events) * np.array(MODULE_WEIGHTS)
    assert_chi_square(counts, expected)
    with pytest.raises(AssertionError):
        assert_chi_square(counts, expected[::-1])


def test_times_are_uniform_over_the_exposure(flat):
    events, exposure = observed(flat, make_emitters(), flat_spectrum())
    assert events.time_s.dtype == np.float64
    assert events.time_s.min() >= 0.0
    assert events.time_s.max() < exposure
    assert_distribution(events.time_s / exposure, lambda x: np.clip(x, 0, 1))


def test_columns_are_independent(flat):
    events, _ = observed(flat, make_emitters(), flat_spectrum())
    columns = {
        "time": events.time_s,
        "energy": events.true_energy_kev,
        "in channel": np.modf((events.energy_kev.astype(np.float64) - 0.3) / 0.02)[0],
        "east": np.sign(events.east_arcsec),
        "radius": np.log(np.hypot(events.east_arcsec, events.north_arcsec)),
        "module": events.module.astype(np.float64),
    }
    ranks = {k: (v - v.mean()) / v.std() for k, v in columns.items()}
    names = list(ranks)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            product = ranks[first] * ranks[second]
            assert abs(product.mean()) < Z_MAX * product.std() / np.sqrt(len(events)), (
                first,
                second,
            )


def test_events_are_blurred_by_a_gaussian_of_the_stated_width():
    instrument = make_instrument(blurred(0.3))
    line = np.zeros((1, 1, N_E))
    line[..., 200] = 1e-3
    events, _ = observed(instrument, make_emitters(), line)
    width = 0.3 / 2.3548
    # Bins of 0.02 and channels of 0.04 keV add their own scatter.
    sigma = np.sqrt(width**2 + 0.04**2 / 12)
    found = events.energy_kev.astype(np.float64).std()
    assert abs(found / sigma - 1) < Z_MAX / np.sqrt(2 * len(events)) + 1e-3


def test_no_photon_no_event(flat):
    spectra = FoldedSpectra.for_view(flat_spectrum(), flat, WIDE)
    for emitters in (make_emitters(norm=0.0), Emitters(*[np.empty(0)] * 7)):
        events = draw(component(emitters, spectra), WIDE, flat, 1e4)
        assert len(events) == 0
        assert events.time_s.dtype == np.float64
    assert len(draw([], WIDE, flat, 1.0)) == 0


@pytest.mark.parametrize("expected", [1.0, 2.0])
def test_a_handful_of_photons(flat, expected):
    spectra = FoldedSpectra.for_view(flat_spectrum(), flat, WIDE)
    emitters = make_emitters(norm=expected / spectra.rate[0, 0, 0])
    numbers = [len(draw(component(emitters, spectra), WIDE, flat, 1.0, s)) for s in range(200)]
    assert {0, 1, 2} <= set(numbers)
    assert_mean(numbers, expected, np.sqrt(expected))


def test_response_of_the_real_telescope(erosita):
    edges = erosita.redistribution.energy_edges_kev
    middle = 0.5 * (edges[1:] + edges[:-1])
    photons = (1e-3 * middle**-1.7 * np.diff(edges))[None, None]
    events, exposure = observed(erosita, make_emitters(), photons)
    response: Response = erosita.response("survey")
    counts = channel_counts(events, erosita.redistribution)
    assert_chi_square(counts, exposure * response.fold(photons[0, 0]))
    with pytest.raises(AssertionError):  # the area on axis instead of the survey's
        assert_chi_square(counts, exposure * erosita.response("pointed").fold(photons[0, 0]))


@pytest.mark.shared
def test_real_response_files(shared_dir):
    folder = shared_dir / "data" / "erosita"
    real = Instrument.from_ogip(
        arf=folder / "survey_tm0_arf_filter_2023-01-17.fits.gz",
        rmf=folder / "onaxis_tm0_rmf_2023-01-17.fits.gz",
        mode="survey",
    )
    edges = real.redistribution.energy_edges_kev
    middle = 0.5 * (edges[1:] + edges[:-1])
    photons = (1e-3 * middle**-1.7 * np.diff(edges))[None, None]
    # Shifts take photons over every row, those without channels among them.
    for shift in (1.0, 0.97, 1.03):
        events, exposure = observed(real, make_emitters(energy_shift=shift), photons)
        counts = channel_counts(events, real.redistribution)
        assert counts.size == real.redistribution.n_channel
        if shift == 1.0:
            assert_chi_square(counts, exposure * real.response("survey").fold(photons[0, 0]))
