"""Counting of pixels beside slow twins."""

from collections import Counter

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.interpret.regions import RADIAL_EDGES
from icmass.interpret.statistics.batches import radial_bins
from icmass.interpret.statistics.pixels import (
    COUNT_EDGES,
    LOG_SALIENCY,
    MATCH_EDGES,
    PixelTable,
    log_quantiles,
)

ORIGINS = ("icm", "agn", "background")
CHANNELS = ("soft", "hard")


def batch(seed=0, m=4, shape=(5, 7)):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.7, (m, 3, 2, *shape)).astype(np.uint32)
    counts[0, 1, 1, 2, 3] = 70_000  # beyond the last edge
    gradient = rng.normal(size=(m, 2, *shape)) * 10.0 ** rng.uniform(-5, -2, (m, 2, *shape))
    gradient[1, 0, 0, 0] = 0.0
    radius = rng.uniform(0.0, 5.0, (m, *shape)).astype(np.float32)
    return np.arange(m), gradient.astype(np.float32), counts, radius


def twin(gradient, counts, radius):
    """Number and sum by (class, channel, counts, radius, saliency), pixel by pixel."""
    number, total = Counter(), Counter()
    for c, y, x in np.ndindex(*gradient.shape):
        n = counts[:, c, y, x].astype(int).tolist()
        if sum(n) == 0:
            continue
        kind = n.index(max(n)) if n.count(max(n)) == 1 else 3
        brightness = max(k for k, edge in enumerate(COUNT_EDGES) if edge <= sum(n))
        ring = max(k for k, edge in enumerate(MATCH_EDGES) if edge <= radius[y, x])
        s = abs(float(gradient[c, y, x]))
        b = 0 if s == 0 else int(np.floor((np.log10(s) - LOG_SALIENCY[0]) * 20))
        number[kind, c, brightness, ring, b] += 1
        total[kind, c, brightness, ring] += s
    return number, total


def table_of(*parts):
    table = PixelTable(ORIGINS, CHANNELS)
    for part in parts:
        table.add(*part)
    return table


def test_edges_are_whole_and_ascend():
    assert COUNT_EDGES[:9] == (1, 2, 3, 4, 5, 6, 7, 8, 9)
    assert (np.diff(COUNT_EDGES) > 0).all()
    assert COUNT_EDGES[-1] == 2**16


def test_histograms_equal_a_slow_twin():
    rows, gradient, counts, radius = batch()
    weight = np.array([1.0, 0.0, 3.0, 2.0])
    found = table_of((rows, gradient, counts, radius)).histogram(weight)
    number, total = np.zeros_like(found.filled), np.zeros_like(found.summed)
    low = round((found.log_low - LOG_SALIENCY[0]) * 20)
    for k, w in enumerate(weight):
        if w == 0:
            continue
        one, sums = twin(gradient[k], counts[k], radius[k])
        for (*cell, b), n in one.items():
            number[(*cell, b - low)] += w * n
        for cell, s in sums.items():
            total[cell] += w * s
    assert np.array_equal(found.filled, number)
    assert found.summed == pytest.approx(total, rel=1e-5)


def test_channels_hold_all_pixels_and_filled_ones():
    rows, gradient, counts, radius = batch()
    table = table_of((rows, gradient, counts, radius))
    every, filled, _ = table.by_channel(np.array([1.0, 1.0, 0.0, 2.0]))
    assert every.sum(axis=1).tolist() == [4 * 35, 4 * 35]
    some = (counts.sum(axis=1) > 0).sum(axis=(2, 3))
    assert filled.sum(axis=1).tolist() == (some[0] + some[1] + 2 * some[3]).tolist()
    whole = table.histogram(np.array([1.0, 1.0, 0.0, 2.0]))
    assert np.array_equal(filled, whole.filled.sum(axis=(0, 2, 3)))


def test_the_order_of_batches_does_not_matter():
    rows, gradient, counts, radius = batch()
    first = table_of((rows, gradient, counts, radius))
    back = [2, 0], [3], [1]
    second = table_of(*((rows[k], gradient[k], counts[k], radius[k]) for k in map(list, back)))
    weight = np.array([1.0, 2.0, 3.0, 4.0])
    assert second.rows.tolist() == [0, 1, 2, 3]
    for a, b in zip(first.histogram(weight), second.histogram(weight), strict=True):
        assert np.array_equal(a, b)
    assert second.pixel_std() == pytest.approx(first.pixel_std())


@pytest.mark.parametrize(("first", "second"), [(1, 0), (0, 2)])
def test_matched_pixels_equal_a_slow_twin(first, second):
    table = table_of(batch(m=6, shape=(20, 24)))
    weight = np.array([1.0, 0.0, 3.0, 2.0, 0.0, 1.0])
    whole = table.histogram(weight)
    found = table.matched(ORIGINS[first], ORIGINS[second], weight)
    filled, summed = (part[[first, second]] for part in (whole.filled, whole.summed))
    there = filled.sum(axis=-1)
    both = (there > 0).all(axis=0)
    assert 20 < both.sum() < 0.9 * (there[0] > 0).sum()
    times = np.stack([both.astype(float), np.where(both, there[0] / np.maximum(there[1], 1), 0)])
    assert found.filled[0] == pytest.approx(filled.sum(axis=(2, 3)))
    assert found.filled[1] == pytest.approx((times[..., None] * filled).sum(axis=(2, 3)))
    assert found.summed[0] == pytest.approx(summed.sum(axis=(2, 3)))
    assert found.summed[1] == pytest.approx((times * summed).sum(axis=(2, 3)))
    assert found.log_low == table.log_low == whole.log_low


def test_pairs_equal_a_slow_twin():
    rows, gradient, counts, radius = batch(shape=(30, 20))
    radius = radius / 3.0
    table = table_of((rows, gradient, counts, radius))
    found = table.pairs("agn", "icm")
    low = round((table.histogram().log_low - LOG_SALIENCY[0]) * 20)
    for k in rows:
        number, total = twin(gradient[k], counts[k], radius[k])
        sides = []
        for kind in (1, 0):
            cells = Counter()
            for (one, *cell, _), n in number.items():
                if one == kind:
                    cells[tuple(cell)] += n
            sides.append(cells)
        expected, sums = np.zeros(found.filled.shape[1:]), np.zeros(found.summed.shape[1:])
        for (kind, *cell, b), n in number.items():
            if kind in (0, 1) and sides[0][tuple(cell)] and sides[1][tuple(cell)]:
                w = 1.0 if kind == 1 else sides[0][tuple(cell)] / sides[1][tuple(cell)]
                expected[1 - kind, cell[0], b - low] += w * n
        for (kind, *cell), s in total.items():
            if kind in (0, 1) and sides[0][tuple(cell)] and sides[1][tuple(cell)]:
                w = 1.0 if kind == 1 else sides[0][tuple(cell)] / sides[1][tuple(cell)]
                sums[1 - kind, cell[0]] += w * s
        assert expected.sum() > 50
        assert found.filled[k] == pytest.approx(expected, rel=1e-5)
        assert found.summed[k] == pytest.approx(sums, rel=1e-5)
        assert found.filled[k, 0].sum() == pytest.approx(found.filled[k, 1].sum(), rel=1e-5)


@pytest.mark.parametrize("probability", [0.16, 0.5, 0.84])
def test_quantiles_are_within_half_a_bin(probability):
    rng = np.random.default_rng(3)
    for n in (1, 2, 3, 10, 2000):
        value = rng.normal(-4.0, 0.02 if n < 2000 else 0.6, n)
        edges = -6.0 + 0.05 * np.arange(121)
        number = np.histogram(value, edges)[0]
        found = log_quantiles(number, -6.0, probability)
        assert abs(found - np.quantile(value, probability, method="inverted_cdf")) <= 0.05
    # Of many the bin itself is left: half of it is far more than is needed.
    assert abs(found - np.quantile(value, probability)) < 0.025


def test_quantile_of_nothing_is_not_known():
    assert np.isnan(log_quantiles(np.zeros((2, 10)), -3.0)).all()
    assert log_quantiles(np.array([0.0, 0.5, 0.0]), -3.0) == pytest.approx(-3.0 + 1.5 * 0.05)


def test_standard_deviation_of_pixels():
    rows, gradient, counts, radius = batch()
    table = table_of((rows[:3], gradient[:3], counts[:3], radius[:3]))
    table.add(rows[3:], gradient[3:], counts[3:], radius[3:])
    expected = np.log1p(counts.sum(axis=1)).std(axis=(0, 2, 3))
    assert table.pixel_std() == pytest.approx(expected)


def test_rings_begin_at_their_edges():
    assert radial_bins(np.array(RADIAL_EDGES[:-1])).tolist() == list(range(len(RADIAL_EDGES) - 1))
    assert radial_bins(np.array([0.2849999], np.float32)).tolist() == [4]


def bad(**changes):
    rows, gradient, counts, radius = batch()
    values = {"rows": rows, "gradient": gradient, "counts": counts, "radius": radius} | changes
    return tuple(values.values())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gradient": np.zeros((4, 3, 5, 7))}, r"gradient: must have shape \(4, 2, n_y, n_x\)"),
        ({"counts": np.zeros((4, 2, 2, 5, 7))}, r"counts: must have shape \(4, 3, 2, 5, 7\); got"),
        ({"radius": np.zeros((4, 7, 5))}, r"radius: must have shape \(4, 5, 7\); got \(4, 7, 5\)"),
        (
            {"gradient": np.where(np.arange(4) == 2, np.nan, 1.0)[:, None, None, None]
             * np.ones((4, 2, 5, 7))},
            r"gradient: must be finite; it is not for 1 of 4 clusters, first row 2",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        table_of(bad(**changes))


def test_rows_come_once():
    with pytest.raises(InputError, match=r"rows: must come once each; some came twice"):
        table_of(batch(), batch()).histogram()


def test_nothing_is_not_counted():
    with pytest.raises(InputError, match=r"pixels: must be of at least 1 cluster; none came in"):
        table_of().histogram()


def test_weights_are_of_all_clusters():
    with pytest.raises(InputError, match=r"weight: must have shape \(4,\), .*got \(3,\)"):
        table_of(batch()).histogram(np.ones(3))


def test_unknown_origins_are_refused():
    with pytest.raises(InputError, match=r"origin: must be one of icm, agn, background.*'AGN'"):
        table_of(batch()).pairs("AGN", "icm")
