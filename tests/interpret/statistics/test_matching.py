"""AGN against gas where the answer is known: what brightness feigns must not be found."""

import json

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.interpret.statistics.matching import agn_to_icm
from icmass.interpret.statistics.pixels import PixelTable

CHANNELS = ("soft", "hard")


def table_of(batch, channels=CHANNELS):
    table = PixelTable(("icm", "agn"), channels)
    table.add(*batch)
    return table


@pytest.mark.parametrize("injected", [0.30, -0.30])
def test_an_injected_difference_is_found_at_equal_brightness(batch_of, injected):
    batch = batch_of(n=80, injected_dex=injected)
    found = agn_to_icm(table_of(batch), batch.rows, n_resamples=50)
    assert [one.channel for one in found] == ["all", "soft", "hard"]
    for one in found:
        for compared in (one.equal_brightness, one.same_cluster):
            value, error = compared.difference_dex
            # The error must be small enough to tell 0.30 from 0, and the value within it.
            assert error < 0.03
            assert abs(value - injected) < 4.0 * error + 0.005
            assert abs(compared.mean_ratio_dex.value - injected) < 0.04
            assert np.sign(compared.sigma) == np.sign(injected)
        # Pixels of AGN are brighter: plainly their saliency is higher by far more than injected.
        assert one.plain.difference_dex.value - injected > 0.1
        assert one.plain.share == 1.0


def test_without_a_difference_none_is_found(batch_of):
    """The negative control: brightness alone must not do, though plainly it does."""
    for seed in range(3):
        batch = batch_of(seed=seed)
        one = agn_to_icm(table_of(batch), batch.rows, n_resamples=60)[0]
        assert abs(one.equal_brightness.sigma) < 3.0
        assert abs(one.same_cluster.sigma) < 3.0
        assert one.plain.sigma > 5.0


def test_faint_clusters_feign_a_difference_that_pixels_of_one_cluster_do_not(batch_of):
    batch = batch_of(n=80, faint_agn=True)
    one = agn_to_icm(table_of(batch), batch.rows, n_resamples=60)[0]
    assert one.equal_brightness.sigma > 5.0
    assert abs(one.same_cluster.sigma) < 3.5
    assert 0.1 < one.same_cluster.share < one.equal_brightness.share < 1.0


def test_medians_and_means_are_those_of_the_pixels(batch_of):
    batch = batch_of(injected_dex=0.3)
    one = agn_to_icm(table_of(batch), batch.rows, n_resamples=2)[2]
    gas, agn = (batch.counts[:, k, 1].astype(int) for k in (0, 1))
    saliency = np.abs(batch.gradient[:, 1]).astype(float)
    for spread, mask in ((one.plain.agn, agn > gas), (one.plain.icm, gas > agn)):
        inside = saliency[mask]
        assert spread.n_pixels == mask.sum()
        assert spread.mean == pytest.approx(inside.mean(), rel=1e-5)
        low, median, high = np.quantile(np.log10(inside), [0.16, 0.5, 0.84])
        assert abs(spread.median - median) < 0.025
        assert abs(spread.low - low) < 0.025
        assert abs(spread.high - high) < 0.025


def test_errors_are_the_scatter_of_realisations(batch_of):
    """50 realisations tell their scatter to 10%: an error that is off by 40% is caught."""
    kwargs = {"n": 16, "size": 10, "n_channel": 1, "agn_scatter_dex": 0.3}
    value, error = [], []
    for seed in range(50):
        batch = batch_of(seed=100 + seed, **kwargs)
        table = table_of(batch, ("one",))
        found = agn_to_icm(table, batch.rows, n_resamples=40)[0].equal_brightness
        value.append(found.difference_dex.value)
        error.append(found.difference_dex.error)
    ratio = np.mean(error) / np.std(value, ddof=1)
    assert 0.6 < ratio < 1.4
    # The negative control: errors over pixels, as if these were independent, are far too small.
    n_pixels = np.median([(batch.counts[:, 1] > batch.counts[:, 0]).sum()])
    assert 1.25 * 0.36 / np.sqrt(n_pixels) < 0.6 * np.std(value, ddof=1)


def test_haloes_are_drawn_and_not_lines_of_sight(batch_of):
    batch = batch_of(n=80, agn_scatter_dex=0.4, lines_of_sight=4, n_channel=1)
    table = table_of(batch, ("one",))
    right, wrong = (
        agn_to_icm(table, halo, n_resamples=200)[0].equal_brightness.difference_dex.error
        for halo in (batch.rows // 4, batch.rows)
    )
    assert right > 1.4 * wrong


def test_some_clusters_alone(batch_of):
    strong, none = batch_of(n=20, injected_dex=0.4), batch_of(n=20, seed=7)
    table = table_of(strong)
    table.add(none.rows + 20, *none[1:])
    halo = np.arange(40)
    found = [agn_to_icm(table, halo, mask, n_resamples=40)[0] for mask in (halo < 20, halo >= 20)]
    assert [one.n_clusters for one in found] == [20, 20]
    assert found[0].equal_brightness.difference_dex.value == pytest.approx(0.4, abs=0.08)
    assert found[1].equal_brightness.difference_dex.value == pytest.approx(0.0, abs=0.08)
    alone = agn_to_icm(table_of(strong), halo[:20], n_resamples=40)[0]
    for a, b in zip(
        alone.equal_brightness.difference_dex,
        found[0].equal_brightness.difference_dex,
        strict=True,
    ):
        assert a == pytest.approx(b, abs=1e-6)


def test_the_same_seed_gives_the_same(batch_of):
    batch = batch_of(n=20)
    table = table_of(batch)
    first, second, third = (
        json.dumps(
            [one.to_dict() for one in agn_to_icm(table, batch.rows, seed=seed, n_resamples=9)]
        )
        for seed in (1, 1, 2)
    )
    assert first == second != third


def test_without_agn_nothing_is_told(batch_of):
    batch = batch_of(n=6)
    batch.counts[:, 1] = 0
    one = agn_to_icm(table_of(batch), batch.rows, n_resamples=3)[0]
    assert one.plain.agn.n_pixels == 0
    assert np.isnan(one.equal_brightness.difference_dex.value)
    told = one.to_dict()
    assert told["equal_brightness"]["difference_dex"] == {"value": None, "error": None}
    assert told["plain"]["sigma"] is None
    json.dumps(told, allow_nan=False)


def test_bad_input_is_refused(batch_of):
    batch = batch_of(n=6)
    table = table_of(batch)
    with pytest.raises(InputError, match=r"halo: must have shape \(6,\), .*got \(5,\)"):
        agn_to_icm(table, np.arange(5))
    with pytest.raises(InputError, match="at least 2 halos"):
        agn_to_icm(table, np.zeros(6, int))
    mixed = PixelTable(("all", "agn"), CHANNELS)
    with pytest.raises(InputError, match=r"origin: must be one of all, agn.*got 'icm'"):
        agn_to_icm(mixed, np.arange(6))
