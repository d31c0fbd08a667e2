"""Profiles of gradients that are made of what proxies imply, times a known factor of radius."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.interpret.regions import RADIAL_EDGES
from icmass.interpret.statistics.batches import radial_bins
from icmass.interpret.statistics.profiles import CORES, PROXIES, ProfileTable

SLOPES = {"n_phot": 1.2, "n_phot_500": 1.4, "lx_bolometric_erg_s": 1.6}
ORIGINS = ("icm", "agn", "background")
N_RING = len(RADIAL_EDGES) - 1
R500C = RADIAL_EDGES.index(1.0)


def images(n=12, seed=0, n_channel=2, shape=(40, 46)):
    """Return counts by origin and radii of clusters that are not centred nor square."""
    rng = np.random.default_rng(seed)
    y, x = np.arange(shape[0]) - 17.0, np.arange(shape[1]) - 25.0
    radius = np.hypot(y[:, None], x) / rng.uniform(18.0, 22.0, (n, 1, 1))
    gas = rng.poisson(5.0 * np.exp(-2.0 * radius)[:, None], (n, n_channel, *shape))
    agn = rng.poisson(0.05, gas.shape)
    background = rng.poisson(0.5, gas.shape)
    return np.stack([gas, agn, background], axis=1), radius


def implied(proxy, counts, radius, space="inputs"):
    """Return what a proxy implies for each pixel, written out."""
    gas, source = counts[:, 0].astype(float), counts[:, :2].sum(axis=1).astype(float)
    inside = (radius < 1.0)[:, None]
    photons, total = {
        "n_phot": (source, source.sum(axis=(1, 2, 3))),
        "n_phot_500": (source, (source * inside).sum(axis=(1, 2, 3))),
        "lx_bolometric_erg_s": (gas, (gas * inside).sum(axis=(1, 2, 3))),
    }[proxy]
    each = photons + 1.0 if space == "inputs" else np.ones_like(photons)
    result = each / (SLOPES[proxy] * total[:, None, None, None])
    return result if proxy == "n_phot" else result * inside


def table_of(gradient, counts, radius, space="inputs", slopes=SLOPES):
    table = ProfileTable(ORIGINS, ("soft", "hard"), slopes, space)
    half = len(gradient) // 3
    for rows in (np.arange(half, len(gradient)), np.arange(half)):  # out of order
        table.add(rows, gradient[rows].astype(np.float32), counts[rows], radius[rows])
    return table


@pytest.mark.parametrize("space", ["inputs", "photons"])
@pytest.mark.parametrize("proxy", PROXIES)
def test_a_known_factor_of_each_ring_is_recovered(space, proxy):
    counts, radius = images()
    factor = np.linspace(0.1, 3.0, N_RING)[radial_bins(radius)][:, None]
    gradient = factor * implied(proxy, counts, radius, space)
    table = table_of(gradient, counts, radius, space)
    for profile in table.profiles(table.rows, n_resamples=5):
        ratio = [number.value for number in profile.ratio[proxy]]
        known = np.linspace(0.1, 3.0, N_RING)
        met = np.bincount(radial_bins(radius).ravel(), minlength=N_RING) > 0
        if proxy != "n_phot":
            met[R500C:] = False
        assert met.sum() >= 8
        assert np.array(ratio)[met] == pytest.approx(known[met], rel=1e-4)
        assert np.isnan(np.array(ratio)[~met]).all()


def test_means_are_those_of_the_pixels():
    counts, radius = images()
    gradient = np.random.default_rng(1).normal(size=(12, 2, 40, 46))
    table = table_of(gradient, counts, radius)
    whole, soft, hard = table.profiles(table.rows, n_resamples=5)
    assert (whole.channel, soft.channel, hard.channel) == ("all", "soft", "hard")
    ring = 6
    inside = radial_bins(radius) == ring
    sizes = [np.abs(gradient[k, 1][inside[k]]).mean() for k in range(12)]
    signed = [gradient[k][:, inside[k]].mean() for k in range(12)]
    lx = implied("lx_bolometric_erg_s", counts, radius)
    assert hard.saliency[ring].value == pytest.approx(np.median(sizes), rel=1e-5)
    assert whole.signed[ring].value == pytest.approx(np.median(signed), rel=1e-4)
    assert hard.implied["lx_bolometric_erg_s"][ring].value == pytest.approx(
        np.median([lx[k, 1][inside[k]].mean() for k in range(12)]), rel=1e-6
    )
    assert hard.implied["lx_bolometric_erg_s"][R500C].value == 0.0
    assert (hard.low[ring], hard.high[ring]) == (0.4, 0.55)


def test_cores_against_a_proxy():
    counts, radius = images()
    # A sixth of the proxy in the core, and twice elsewhere; of the wrong sign inside 0.15.
    factor = np.where(radius < 0.285, 1.0 / 6.0, 2.0) * np.where(radius < 0.15, -1.0, 1.0)
    proxy = implied("n_phot", counts, radius)
    gradient = factor[:, None] * proxy
    table = table_of(gradient, counts, radius)
    found = {(c.channel, c.proxy, c.radius): c for c in table.core_ratios(table.rows)}
    assert len(found) == 3 * 3 * len(CORES)
    core = found["all", "n_phot", 0.285]
    assert core.n_clusters == 12
    assert core.ratio.value == pytest.approx(1.0 / 6.0, rel=1e-4)
    share, signed = [], []
    for k in range(12):
        inside, inner = radius[k] < 0.285, radius[k] < 1.0
        total = np.abs(gradient[k])[:, inner].sum() / proxy[k][:, inner].sum()
        share.append(1.0 / 6.0 / total)
        signed.append(gradient[k][:, inside].sum() / proxy[k][:, inside].sum())
    assert core.share_ratio.value == pytest.approx(np.median(share), rel=1e-4)
    assert core.signed_ratio.value == pytest.approx(np.median(signed), rel=1e-4)
    inner = found["all", "n_phot", 0.15]
    assert inner.signed_ratio.value == pytest.approx(-1.0 / 6.0, rel=1e-4)
    # The negative control: the proxy itself is not found to lean on its core more or less.
    table = table_of(proxy, counts, radius)
    for core in table.core_ratios(table.rows):
        if core.proxy == "n_phot":
            for ratio in (core.ratio, core.share_ratio, core.signed_ratio):
                assert ratio.value == pytest.approx(1.0, rel=1e-5)
                assert ratio.error < 1e-5


def test_errors_are_the_scatter_of_clusters():
    """Of 200 clusters with a scatter of 0.4 in ln the median has 1.25 x 0.4 / sqrt(200)."""
    counts, radius = images(n=200, shape=(24, 30))
    rng = np.random.default_rng(5)
    own = np.exp(rng.normal(0.0, 0.4, (200, 1, 1, 1)))
    table = table_of(own * implied("n_phot", counts, radius), counts, radius)
    core = next(c for c in table.core_ratios(table.rows, n_resamples=300) if c.radius == 0.285)
    # The error of a median is itself uncertain by about a tenth.
    assert core.ratio.error == pytest.approx(1.2533 * 0.4 / np.sqrt(200), rel=0.45)
    assert abs(core.ratio.sigma(1.0)) < 4.0


def test_selected_clusters_alone():
    counts, radius = images()
    own = np.where(np.arange(12) < 5, 0.3, 0.7)[:, None, None, None]
    table = table_of(own * implied("n_phot", counts, radius), counts, radius)
    for mask, value in ((np.arange(12) < 5, 0.3), (np.arange(12) >= 5, 0.7)):
        core = table.core_ratios(table.rows, mask, n_resamples=5)[0]
        assert core.ratio.value == pytest.approx(value, rel=1e-5)
        assert core.n_clusters == mask.sum()


def test_clusters_without_photons_are_left_out():
    counts, radius = images()
    gradient = implied("n_phot", counts, radius)
    counts[3] = 0
    gradient[3] = 1.0
    table = table_of(gradient, counts, radius)
    core = table.core_ratios(table.rows, n_resamples=5)[0]
    assert core.n_clusters == 11
    assert core.ratio.value == pytest.approx(1.0, rel=1e-5)


def test_proxies_without_slopes_or_gas_are_left_out():
    counts, radius = images()
    gradient = np.ones((12, 2, 40, 46))
    table = table_of(gradient, counts, radius, slopes={})
    assert table.core_ratios(table.rows) == []
    assert table.profiles(table.rows, n_resamples=2)[0].ratio == {}
    real = ProfileTable(("all",), ("soft", "hard"), SLOPES)
    assert tuple(real.slopes) == ("n_phot", "n_phot_500")
    real.add(np.arange(12), gradient, counts[:, :1], radius)
    assert len(real.core_ratios(real.rows, n_resamples=2)) == 12


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"slopes: must be of n_phot, .*; got 'richness'"):
        ProfileTable(ORIGINS, ("a",), {"richness": 1.0})
    with pytest.raises(InputError, match=r"slopes: must be above 0; got -1\.0 for n_phot"):
        ProfileTable(ORIGINS, ("a",), {"n_phot": -1.0})
    with pytest.raises(InputError, match="space: must be inputs or photons; got 'galaxies'"):
        ProfileTable(ORIGINS, ("a",), {}, "galaxies")
    with pytest.raises(InputError, match="profiles: must be of at least 1 cluster"):
        ProfileTable(ORIGINS, ("a",), {}).profiles([])
    counts, radius = images()
    with pytest.raises(InputError, match="rows: must come once each"):
        table = table_of(np.ones((12, 2, 40, 46)), counts, radius)
        table.add(np.arange(12), np.ones((12, 2, 40, 46)), counts, radius)
        table.profiles(np.arange(24))
