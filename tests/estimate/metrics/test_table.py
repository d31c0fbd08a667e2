"""The bootstrap draws halos, and the table holds what its parts say."""

import math
import tracemalloc

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.estimate.metrics import (
    METRICS,
    SCORES,
    Binning,
    Predictive,
    bootstrap,
    error_std,
    evaluate,
    evenness,
    halo_numbers,
    metrics_table,
    pit,
    point_scores,
    reference_points,
    score,
    slope_scatter,
)

N = 3000
LINES_OF_SIGHT = 3


def scores_of(n: int = N, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = 33.0 + 0.56 * rng.standard_normal(n)
    mean = 33.0 + 0.9 * (truth - 33.0) + 0.2 * rng.standard_normal(n)
    return score(Predictive.gaussian(mean, np.full(n, 0.2)), truth, np.full(n, 30.0))


def test_error_of_a_mean_is_that_of_its_halos():
    rng = np.random.default_rng(6)
    halo = np.repeat(np.arange(1000), LINES_OF_SIGHT)
    values = np.repeat(rng.standard_normal(1000), LINES_OF_SIGHT)  # lines of sight agree
    shuffle = rng.permutation(len(halo))
    halo, values = halo[shuffle], values[shuffle]
    relative = 4.5 / math.sqrt(2 * 400)
    by_halo = bootstrap(lambda rows: values[rows].mean(), halo, n_resamples=400).std()
    assert by_halo == pytest.approx(1 / math.sqrt(1000), rel=relative)
    by_row = bootstrap(lambda r: values[r].mean(), np.arange(len(halo)), n_resamples=400).std()
    assert by_row == pytest.approx(1 / math.sqrt(3000), rel=relative)


def test_halos_come_whole():
    halo = np.array([7, 3, 3, 9, 7, 7])
    drawn = bootstrap(lambda rows: np.bincount(rows, minlength=6), halo, n_resamples=50)
    assert np.all(drawn[:, 0] == drawn[:, 4])
    assert np.all(drawn[:, 1] == drawn[:, 2])
    assert not np.all(drawn[:, 0] == drawn[:, 1])
    counts = drawn[:, [0, 1, 3]].sum(axis=1)
    assert np.all(counts == 3)


def test_samples_follow_the_seed_and_do_not_depend_on_their_number():
    halo = np.arange(40)
    few, many = (bootstrap(np.sum, halo, n_resamples=k, seed=4) for k in (3, 9))
    np.testing.assert_array_equal(few, many[:3])
    assert not np.array_equal(few, bootstrap(np.sum, halo, n_resamples=3, seed=5))


def test_halos_are_numbered_by_all_their_keys():
    numbers = halo_numbers([0, 0, 1, 0], [2, 3, 2, 2], [5, 5, 5, 5])
    assert numbers.tolist() == [0, 1, 2, 0]


def test_bootstrap_errors_meet_closed_forms():
    scores = scores_of()
    (row,) = metrics_table(scores, np.arange(N), n_resamples=300)
    value, error = row.value, row.error
    relative = 6 / math.sqrt(2 * 300)
    assert error["error_std"] == pytest.approx(value["error_std"] / math.sqrt(2 * N), rel=relative)
    assert error["bias"] == pytest.approx(value["error_std"] / math.sqrt(N), rel=relative)
    assert error["slope"] == pytest.approx(0.2 / 0.56 / math.sqrt(N), rel=relative)
    binomial = math.sqrt(0.95 * 0.05 / N)
    assert error["coverage_95"] == pytest.approx(binomial, rel=0.4)
    assert math.isnan(error["pit_ks"])
    assert set(value) == set(error) == set(METRICS)


def test_values_are_those_of_the_functions():
    scores = scores_of()
    found = evaluate(scores)
    assert found["slope_scatter"] == pytest.approx(
        slope_scatter(scores["ln_mass"], scores["mean"]), rel=1e-9
    )
    assert found["error_std"] == error_std(scores["ln_mass"], scores["mean"])
    assert found["nll"] == pytest.approx(np.mean(scores["nll"]))
    assert found["low_end_bias"] > 0.03 > -0.03 > found["high_end_bias"]


def test_bins_hold_their_clusters_and_share_one_line():
    scores = scores_of()
    scores["mean"][scores["ln_mass"] >= 33.0] += 0.1
    edges = [32.0, 33.0, 34.0]
    table = metrics_table(
        scores,
        np.arange(N) // LINES_OF_SIGHT,
        {"ln M": Binning(scores["ln_mass"], edges), "z": Binning(np.zeros(N), [1.0, 2.0])},
        n_resamples=20,
    )
    assert [row.by for row in table] == ["all", "ln M", "ln M"]
    n_halo = N // LINES_OF_SIGHT
    assert table[0].pit_p_value == evenness(pit(scores), n_halo).p_value
    whole, low, high = table
    assert (whole.n, whole.n_halo) == (N, N // LINES_OF_SIGHT)
    inside = (scores["ln_mass"] >= 32.0) & (scores["ln_mass"] < 33.0)
    assert low.n == inside.sum()
    assert (low.low, low.high) == (32.0, 33.0)
    assert low.value["bias"] == pytest.approx(np.mean((scores["mean"] - scores["ln_mass"])[inside]))
    assert high.value["bias"] > low.value["bias"] - 0.1
    # Of a bin the mean slope is that of all: 0.2 over the slope, not over one fitted in the bin.
    slope = whole.value["slope"]
    assert low.value["slope_scatter"] == pytest.approx(0.2 / slope, rel=0.15)
    assert "slope" not in low.value
    assert all(0 < error < 0.2 for name, error in low.error.items() if not name.endswith("_ks"))


def test_the_last_bin_holds_its_upper_edge():
    assert Binning([0.0, 1.0, 2.0, 2.1, -0.1], [0.0, 1.0, 2.0]).labels().tolist() == [
        0,
        1,
        1,
        -1,
        -1,
    ]


def test_numbers_without_distribution_have_point_metrics_alone():
    scores = scores_of()
    points = point_scores(scores["mean"], scores["ln_mass"])
    (row,) = metrics_table(points, np.arange(N), n_resamples=10)
    assert "nll" not in row.value
    assert math.isnan(row.pit_p_value)
    assert row.value["slope_scatter"] == evaluate(scores)["slope_scatter"]


def test_batches_join_to_the_whole():
    rng = np.random.default_rng(3)
    mean, std = rng.normal(33, 0.5, 1000), rng.uniform(0.1, 0.3, 1000)
    truth, reference = rng.normal(33, 0.5, 1000), reference_points(1000, 31, 35, seed=2)
    predictive = Predictive.gaussian(mean, std)
    parts = [
        score(predictive[at : at + 130], truth[at : at + 130], reference[at : at + 130])
        for at in range(0, 1000, 130)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), score(predictive, truth, reference))


def test_memory_is_that_of_a_batch_and_72_bytes_per_cluster():
    assert SCORES.itemsize == 72
    n, batch, rng = 200_000, 1000, np.random.default_rng(3)
    scores_of(20)  # compiles
    tracemalloc.start()
    joined = np.concatenate(
        [
            score(
                Predictive.from_samples(rng.normal(33, 0.3, (batch, 60))),
                rng.normal(33, 0.3, batch),
                np.full(batch, 31.0),
            )
            for _ in range(n // batch)
        ]
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(joined) == n
    assert peak < 2 * n * SCORES.itemsize + 20 * batch * 60 * 8


def test_bad_input():
    scores = scores_of(30)
    with pytest.raises(InputError, match="at least 10 clusters; got 9"):
        evaluate(scores[:9])
    with pytest.raises(InputError, match="at least 2 halos"):
        bootstrap(np.sum, np.zeros(5))
    with pytest.raises(InputError, match="edges: must be at least 2 and increase"):
        Binning([1.0], [1.0, 1.0]).labels()
    with pytest.raises(InputError, match="by 'z': must be of 30 rows; got 4"):
        metrics_table(scores, np.arange(30), {"z": Binning(np.zeros(4), [0.0, 1.0])})
