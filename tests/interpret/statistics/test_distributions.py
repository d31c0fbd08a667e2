"""Histograms of saliency beside those of NumPy, pixel by pixel."""

import json

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.interpret.statistics.distributions import SaliencyHistogram, saliency_histograms
from icmass.interpret.statistics.matching import agn_to_icm
from icmass.interpret.statistics.pixels import (
    COUNT_EDGES,
    MATCH_EDGES,
    PixelTable,
    log_quantiles,
)

CHANNELS = ("soft", "hard")
WAYS = ("plain", "equal_brightness")


def table_of(batch, channels=CHANNELS, origins=("icm", "agn")):
    table = PixelTable(origins, channels)
    half = len(batch.rows) // 2
    for some in (slice(half, None), slice(0, half)):
        table.add(*(part[some] for part in batch))
    return table


def by_name(found) -> dict[tuple[str, str], SaliencyHistogram]:
    return {(one.channel, one.way): one for one in found}


def twin(batch, channel: int, edges: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Numbers of AGN and gas by saliency, plainly and matched, shape (2, k)."""
    gas, agn = (batch.counts[:, k, channel].astype(int) for k in (0, 1))
    log = np.log10(np.abs(batch.gradient[:, channel].astype(np.float64)))
    brightness = np.digitize(gas + agn, COUNT_EDGES)
    ring = np.digitize(np.broadcast_to(batch.radius, gas.shape), MATCH_EDGES)
    cell = brightness * 1000 + ring
    sides = agn > gas, gas > agn
    weight = np.zeros((2, *gas.shape))
    for one in np.unique(cell[sides[0]]):
        n_agn, n_gas = (np.count_nonzero(side & (cell == one)) for side in sides)
        if n_gas:
            weight[0, cell == one], weight[1, cell == one] = 1.0, n_agn / n_gas
    each = list(zip(sides, weight, strict=True))
    return {
        "plain": np.stack([np.histogram(log[side], edges)[0] for side in sides]),
        "equal_brightness": np.stack(
            [np.histogram(log[side], edges, weights=w[side])[0] for side, w in each]
        ),
    }


def test_numbers_are_those_of_numpy(batch_of):
    batch = batch_of(n=20, injected_dex=-0.4)
    found = by_name(saliency_histograms(table_of(batch), "every"))
    assert list(found) == [(name, way) for way in WAYS for name in ("every", *CHANNELS)]
    edges = found["every", "plain"].edges
    assert np.diff(edges) == pytest.approx(0.05)
    total = dict.fromkeys(WAYS, 0.0)
    for k, name in enumerate(CHANNELS):
        expected = twin(batch, k, edges)
        for way in WAYS:
            one = found[name, way]
            assert one.edges == edges
            assert np.array([one.agn, one.icm]) == pytest.approx(expected[way], rel=1e-5, abs=1e-6)
            total[way] = total[way] + expected[way]
    for way in WAYS:
        one = found["every", way]
        assert np.array([one.agn, one.icm]) == pytest.approx(total[way], rel=1e-5, abs=1e-6)
    # The negative control: neither channels nor ways nor sides are the same.
    soft, hard = (found[name, "plain"] for name in CHANNELS)
    assert soft.icm != hard.icm
    assert soft.icm != found["soft", "equal_brightness"].icm
    assert soft.icm != soft.agn


def test_gas_weighs_at_equal_brightness_what_agn_do(batch_of):
    batch = batch_of(n=20)
    found = by_name(saliency_histograms(table_of(batch), "every"))
    for name in ("every", *CHANNELS):
        plain, matched = (found[name, way] for way in WAYS)
        assert sum(matched.icm) == pytest.approx(sum(matched.agn), rel=1e-5)
        # AGN where no gas is as bright are left out, and only these.
        assert 0.5 * sum(plain.agn) < sum(matched.agn) < sum(plain.agn)
        assert all(few <= many for few, many in zip(matched.agn, plain.agn, strict=True))
        assert all(float(n).is_integer() for n in (*plain.agn, *plain.icm, *matched.agn))
        assert sum(plain.icm) > 2.0 * sum(plain.agn)  # so that it was not so before
    counts = batch.counts.astype(int)
    assert sum(found["every", "plain"].agn) == (counts[:, 1] > counts[:, 0]).sum()
    assert sum(found["every", "plain"].icm) == (counts[:, 0] > counts[:, 1]).sum()


def test_medians_are_those_of_the_comparison(batch_of):
    batch = batch_of(n=20, injected_dex=0.3)
    table = table_of(batch)
    found = by_name(saliency_histograms(table, "all"))
    for one in agn_to_icm(table, batch.rows, n_resamples=2):
        for way in WAYS:
            histogram, compared = found[one.channel, way], getattr(one, way)
            agn, icm = (
                log_quantiles(np.array(side), histogram.edges[0])
                for side in (histogram.agn, histogram.icm)
            )
            assert agn == pytest.approx(compared.agn.median, abs=1e-12)
            assert icm == pytest.approx(compared.icm.median, abs=1e-12)
            assert agn - icm == pytest.approx(compared.difference_dex.value, abs=1e-12)
            assert sum(histogram.agn) == pytest.approx(compared.agn.n_pixels)
        plain, matched = (getattr(one, way).difference_dex.value for way in WAYS)
        assert plain - matched > 0.1  # so that ways are not taken for each other


def test_one_channel_is_not_told_twice(batch_of):
    batch = batch_of(n=6, n_channel=1)
    found = saliency_histograms(table_of(batch, ("one",)), "every")
    assert [(one.channel, one.way) for one in found] == [("one", way) for way in WAYS]
    for one in found:
        plain = json.loads(json.dumps(one.to_dict(), allow_nan=False))
        assert plain["icm"] == list(one.icm)
        assert len(plain["edges"]) == len(plain["agn"]) + 1 == len(plain["icm"]) + 1


def test_without_agn_there_is_nothing_to_match(batch_of):
    batch = batch_of(n=6)
    batch.counts[:, 1] = 0
    found = by_name(saliency_histograms(table_of(batch), "every"))
    assert sum(found["every", "plain"].icm) == (batch.counts[:, 0] > 0).sum()
    assert not any(found["every", "plain"].agn)
    assert not any((*found["every", WAYS[1]].agn, *found["every", WAYS[1]].icm))


def test_origins_must_have_been_counted(batch_of):
    table = table_of(batch_of(n=4), origins=("icm", "background"))
    with pytest.raises(InputError, match=r"origin: must be one of icm, background.*; got 'agn'"):
        saliency_histograms(table, "all")
