"""Mixtures against root finding, sampling and the law of total variance."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from icmass.errors import InputError
from icmass.estimate.ensemble import disagreement, even_scores, mixture
from icmass.estimate.metrics import Predictive
from tests.helpers.stats import Z_MAX, assert_chi_square, chi_square

ROWS = 6


def different_members(seed: int = 3) -> list[Predictive]:
    """Gaussian, skewed and spiky members of unlike knots."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(33.0, 1.0, ROWS)
    many = even_scores()
    spiky = np.cumsum(10.0 ** rng.uniform(-4.0, -0.5, (ROWS, 9)), axis=1)
    return [
        Predictive.gaussian(mean, rng.uniform(0.05, 0.5, ROWS)),
        Predictive(many, mean[:, None] + 0.2 + 0.3 * np.sinh(0.5 * many + 0.4)),
        Predictive(np.linspace(-2.0, 2.5, 9), mean[:, None] - 0.4 + spiky),
    ]


def twin(members: list[Predictive], score: np.ndarray) -> np.ndarray:
    """Do the same slowly, by a general root finder on the mean of F."""
    result = np.empty((len(members[0]), len(score)))
    for row in range(len(result)):
        single = [member[row : row + 1] for member in members]
        for k, s in enumerate(score):
            ends = [member.quantile([ndtr(s)])[0, 0] for member in single]

            def excess(x: float, single=single, s=s) -> float:
                return float(np.mean([ndtr(member.normal_score([x])[0]) for member in single])) - (
                    ndtr(s)
                )

            low, high = min(ends) - 1e-9, max(ends) + 1e-9
            result[row, k] = brentq(excess, low, high, xtol=1e-14, rtol=1e-14)
    return result


@pytest.mark.parametrize("score", [even_scores()[::4], np.array([-5.0, -0.3, 0.1, 4.0])])
def test_quantiles_against_their_twin(score):
    members = different_members()
    found = mixture(members, score)
    np.testing.assert_array_equal(found.score, score)
    width = members[0].mean_std()[1].min()
    np.testing.assert_allclose(found.value, twin(members, score), rtol=0, atol=1e-8 * width)
    assert np.abs(found.value - mixture(members[:2], score).value).max() > 0.1


def test_a_mixture_of_one_law_is_that_law():
    for member in different_members():
        found = mixture([member] * 4, member.score)
        np.testing.assert_allclose(found.value, member.value, rtol=1e-14)
    gaussian = Predictive.gaussian([33.0, 31.0], [0.1, 0.7])
    for one, other in zip(mixture([gaussian] * 3).mean_std(), gaussian.mean_std(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7)


def test_one_member_is_returned_as_it_is():
    member = different_members()[1]
    assert mixture([member]) is member
    np.testing.assert_allclose(
        mixture([member], [-0.5, 1.0]).value, member.quantile(ndtr([-0.5, 1.0])), rtol=1e-14
    )


def test_moments_follow_the_law_of_total_variance():
    rng = np.random.default_rng(5)
    mean, std = rng.normal(33.0, 0.2, (8, 2000)), rng.uniform(0.15, 0.3, (8, 2000))
    members = [Predictive.gaussian(*one) for one in zip(mean, std, strict=True)]
    found_mean, found_std = mixture(members).mean_std()
    expected = np.sqrt((std**2).mean(axis=0) + disagreement(members) ** 2)
    # 0.3% is what the straight pieces between 25 knots leave
    np.testing.assert_allclose(found_mean, mean.mean(axis=0), atol=0.003 * expected.min())
    np.testing.assert_allclose(found_std, expected, rtol=0.003)
    np.testing.assert_allclose(disagreement(members), mean.std(axis=0), rtol=1e-9)
    without = np.sqrt((std**2).mean(axis=0))
    assert np.median(found_std / without) > 1.2


def test_draws_of_members_fall_evenly_between_the_knots():
    rng, draws = np.random.default_rng(6), 20_000
    members = different_members()
    found = mixture(members)
    expected = np.diff(ndtr(found.score), prepend=0.0, append=1.0) * draws * len(members)
    for row in range(ROWS):
        x = [one[row : row + 1].quantile(rng.random(draws)).ravel() for one in members]
        counts = np.bincount(np.searchsorted(found.value[row], np.concatenate(x)), minlength=26)
        assert_chi_square(counts, expected)
        # One member less on one side, and a shift of 0.02 widths, would be seen.
        shifted = found.value[row] + 0.02 * found.mean_std()[1][row]
        counts = np.bincount(np.searchsorted(shifted, np.concatenate(x)), minlength=26)
        assert chi_square(counts, expected).z > Z_MAX


def test_the_order_of_members_does_not_matter():
    members = different_members()
    one, other = mixture(members), mixture(members[::-1])
    np.testing.assert_allclose(one.value, other.value, rtol=1e-14)


@pytest.mark.parametrize("distance", [8.0, 30.0, 200.0])
def test_empty_gaps_between_members(distance):
    members = [Predictive.gaussian([mean], [1.0]) for mean in (0.0, distance, 2.0 * distance)]
    score = even_scores()[1:]  # 0.25 on
    found = mixture(members, score).value[0]
    p = ndtr(score)
    lobe = np.floor(3.0 * p)
    # Each lobe is met as if it were alone: what others hold there is below 1e-5 from 8 sigma on.
    np.testing.assert_allclose(found, distance * lobe + ndtri(3.0 * p - lobe), atol=2e-3)
    assert np.all(np.diff(found) > 0)


def test_the_middle_of_a_gap_is_where_the_tails_balance():
    members = [Predictive.gaussian([-15.0], [1.0]), Predictive.gaussian([15.0], [2.0])]
    found = mixture(members)
    assert found.value[0, 12] == pytest.approx(-5.0, abs=1e-8)  # 10 sigma from one, 10 from other


def test_tails_keep_their_digits():
    members = [Predictive.gaussian([0.0], [1.0]), Predictive.gaussian([0.5], [1.0])]
    found = mixture(members, [-8.0, -7.5, 7.5, 8.0]).value[0]
    np.testing.assert_allclose(found, 0.5 - found[::-1], atol=1e-12)
    p = 0.5 * (ndtr(found[:2]) + ndtr(found[:2] - 0.5))
    np.testing.assert_allclose(ndtri(p), [-8.0, -7.5], rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e9])
def test_widths_of_any_size(scale):
    means, stds = (0.3, 1.0, 5.0), (1.0, 0.01, 0.4)
    members = [
        Predictive.gaussian([m * scale], [s * scale]) for m, s in zip(means, stds, strict=True)
    ]
    plain = [Predictive.gaussian([m], [s]) for m, s in zip(means, stds, strict=True)]
    np.testing.assert_allclose(
        mixture(members).value / scale, mixture(plain).value, rtol=1e-9, atol=1e-10
    )


def test_disagreement_is_the_spread_of_means_alone():
    members = [Predictive.gaussian([m, 5.0], [s, 0.2]) for m, s in ((1.0, 0.1), (4.0, 3.0))]
    np.testing.assert_allclose(disagreement(members), [1.5, 0.0], atol=1e-12)
    np.testing.assert_array_equal(disagreement(members[:1]), [0.0, 0.0])


@pytest.mark.parametrize("what", [mixture, disagreement])
def test_members_of_other_clusters_are_refused(what):
    three, two = different_members()[0][:3], different_members()[1][:2]
    with pytest.raises(
        InputError, match=r"members: must be one or more, .*; got 2 and 3. Let every"
    ):
        what([three, two])
    with pytest.raises(InputError, match=r"members: must be one or more, .*; got no member"):
        what([])


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ([0.0], r"score: must be two or more normal scores that increase; got \[0.0\]"),
        ([1.0, 0.0], "score: must be two or more normal scores that increase"),
        ([[0.0, 1.0]], "score: must be two or more"),
        ([0.0, math.nan], "score: must be two or more"),
        ([-1.0, 9.0], "from -8 to 8; got -1 to 9. Turn probabilities"),
    ],
)
def test_bad_scores_are_refused(score, message):
    with pytest.raises(InputError, match=message):
        mixture(different_members(), score)


def test_no_clusters_give_no_mixture():
    none = [member[:0] for member in different_members()]
    assert len(mixture(none)) == 0
