"""Deletion, insertion and patches of networks whose answer to every change is known."""

import numpy as np
import pytest

from icmass.bootstrap import halo_numbers
from icmass.errors import InputError
from icmass.interpret.attribution.attribute import Attributed, attributions
from icmass.interpret.faithfulness import FRACTIONS, faithfulness, faithfulness_of
from tests.helpers.masses import make_catalog
from tests.helpers.subjects import estimator_subject, linear_subject

SIDE = 16
COARSE = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    return make_catalog(tmp_path_factory.mktemp("faithful") / "catalog", 24)


@pytest.fixture(scope="module")
def subject(catalog):
    """ln M = w . ln(1 + N), w of both signs and another for each fold."""
    weight = np.random.default_rng(2).normal(0.02, 0.05, (2, 3, SIDE, SIDE))
    return linear_subject(catalog, weight)


def contributions(subject, rows=None):
    """What each pixel adds to ln M: of a linear network the truth."""
    for some, networks, seen in subject.batches(5, rows):
        values = np.log1p(seen.counts.numpy()) * networks[0].weight.numpy()
        nothing = np.full(len(some), np.nan)
        yield Attributed(some, values.astype(np.float32), nothing, nothing, nothing)


def reversed_order(found):
    for one in found:
        yield Attributed(one.rows, -one.values, *[one.prediction] * 3)


def table_of(found):
    found = list(found)
    return np.concatenate([one.rows for one in found]), np.concatenate(
        [one.values for one in found]
    )


def test_curves_of_a_linear_network_are_sums(subject):
    rows, values = table_of(contributions(subject))
    result = faithfulness_of(subject, contributions(subject), "truth", fractions=COARSE)
    assert result.rows.tolist() == rows.tolist()
    counts = subject.counts(rows).sum(axis=1).reshape(len(rows), -1)
    for k, flat in enumerate(values.reshape(len(rows), -1).astype(float)):
        lit = np.sort(flat[counts[k] > 0])[::-1]
        number = [round(fraction * len(lit)) for fraction in COARSE]
        taken = np.array([lit[:n].sum() for n in number])
        assert result.deletion[k] == pytest.approx(-taken, abs=2e-4)
        assert result.insertion[k] == pytest.approx(taken - lit.sum(), abs=2e-4)
    assert result.random_deletion[:, [0, -1]] == pytest.approx(result.deletion[:, [0, -1]])
    assert result.random_insertion[:, [0, -1]] == pytest.approx(result.insertion[:, [0, -1]])


def test_the_true_order_always_beats_random_and_the_reverse_never(subject):
    true = faithfulness_of(subject, contributions(subject), "truth")
    wrong = faithfulness_of(subject, reversed_order(contributions(subject)), "reverse")
    assert np.array_equal(true.random_deletion, wrong.random_deletion)
    halo = halo_numbers(subject.catalog.column("halo_id")[true.rows])
    for result, part in ((true, 1.0), (wrong, 0.0)):
        summary = result.summary(halo, n_resamples=20)
        assert summary.deletion_better == (part, 0.0)
        assert summary.insertion_better == (part, 0.0)
        assert (summary.deletion_gain.value > 0.0) == (part == 1.0)
        assert summary.correlation.value == pytest.approx(2.0 * part - 1.0, abs=1e-5)
        assert summary.n == len(subject)
        assert len(summary.deletion) == len(summary.fraction) == len(FRACTIONS)


def test_random_values_are_as_good_as_random_order(catalog):
    weight = np.abs(np.random.default_rng(2).normal(0.0, 0.05, (3, SIDE, SIDE)))
    subject = linear_subject(catalog, weight)

    def noise():
        rng = np.random.default_rng(8)
        for one in contributions(subject):
            yield Attributed(one.rows, rng.normal(size=one.values.shape), *[one.prediction] * 3)

    result = faithfulness_of(subject, noise(), "noise", fractions=COARSE)
    better = np.mean(result.deletion_gain > 0.0)  # of 24, a half: 4.5 sigma
    assert abs(better - 0.5) < 4.5 * 0.5 / np.sqrt(24)
    assert abs(np.nanmedian(result.correlation)) < 0.3


def test_patches_of_a_linear_network_correlate_exactly(subject):
    result = faithfulness_of(
        subject, contributions(subject), "truth", fractions=(0.0, 0.5, 1.0), patches=4
    )
    assert result.correlation == pytest.approx(1.0, abs=1e-5)
    rows, values = table_of(contributions(subject))
    turned = [Attributed(rows, np.rot90(values, axes=(-2, -1)), *[np.zeros(len(rows))] * 3)]
    other = faithfulness_of(subject, turned, "turned", fractions=(0.0, 1.0), patches=4)
    assert other.correlation.max() < 0.95


def test_methods_are_tested_on_the_same_clusters(subject):
    rows = np.array([20, 3, 8, 15])
    seen = []
    results = faithfulness(
        subject,
        ["integrated-gradients", "saliency"],
        rows,
        fractions=COARSE,
        batch_size=3,
        report=seen.append,
    )
    assert [result.method for result in results] == ["integrated-gradients", "saliency"]
    assert sum(seen) == 2 * len(rows)
    integrated, saliency = results
    assert integrated.rows.tolist() == saliency.rows.tolist() == rows.tolist()
    assert np.array_equal(integrated.random_deletion, saliency.random_deletion)
    assert (integrated.deletion_gain > 0.0).all()
    assert integrated.correlation == pytest.approx(1.0, abs=1e-4)
    whole = faithfulness_of(subject, contributions(subject), "truth", fractions=COARSE)
    place = [whole.rows.tolist().index(row) for row in rows]
    # A cluster has the same random order whatever is asked with it.
    assert integrated.random_deletion == pytest.approx(whole.random_deletion[place], abs=1e-5)
    assert integrated.deletion == pytest.approx(whole.deletion[place], abs=1e-4)
    again = faithfulness(subject, ["saliency"], rows, fractions=COARSE, seed=1)[0]
    assert not np.allclose(again.random_deletion, saliency.random_deletion)
    assert np.allclose(again.deletion, saliency.deletion, atol=1e-5)


def test_pixels_become_background(subject):
    rows = np.arange(4)
    result = faithfulness(
        subject, ["integrated-gradients"], rows, baseline="background", fractions=COARSE, patches=2
    )[0]
    for k, (row, found) in enumerate(
        zip(rows, _one_by_one(subject, rows, "background"), strict=True)
    ):
        assert found.rows.tolist() == [row]
        lost = found.baseline_prediction - found.prediction
        assert result.deletion[k, -1] == pytest.approx(lost[0], abs=1e-4)
    assert (result.deletion_gain > 0.0).all()


def _one_by_one(subject, rows, baseline):
    for row in rows:
        yield from attributions(
            subject, "integrated-gradients", baseline=baseline, rows=[row], batch_size=8
        )


def test_cubes_of_galaxies_are_tested(catalog):
    weight = np.random.default_rng(4).normal(1.0, 3.0, (8, 8, 8))
    subject = linear_subject(catalog, weight, space="galaxies")
    result = faithfulness(
        subject, ["integrated-gradients"], np.arange(6), space="galaxies", fractions=COARSE
    )[0]
    assert result.correlation == pytest.approx(1.0, abs=1e-3)
    assert (result.deletion_gain > 0.0).all()


def test_estimators_are_tested(catalog):
    subject = estimator_subject(catalog, "profile")
    result = faithfulness(subject, ["input-x-gradient"], np.arange(5), fractions=COARSE)[0]
    assert np.isfinite(result.deletion).all()
    assert result.to_dict()["method"] == "input-x-gradient"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fractions": (0.0, 0.5)}, r"^fractions: must ascend from 0 to 1; got \(0.0, 0.5\)"),
        ({"fractions": (0.0, 0.5, 0.5, 1.0)}, r"^fractions: must ascend from 0 to 1"),
        ({"fractions": ()}, r"^fractions: must ascend from 0 to 1"),
        ({"patches": 1}, r"^patches: must be 2 to 16 on a side; got 1"),
        ({"patches": 17}, r"^patches: must be 2 to 16 on a side; got 17"),
        ({"space": "photon"}, r"^space: must be .* did you mean 'photons'"),
        ({"baseline": "dark"}, r"^baseline: must be"),
    ],
)
def test_bad_values_are_refused(subject, values, message):
    with pytest.raises(InputError, match=message):
        faithfulness(subject, ["saliency"], **values)


def test_an_unknown_method_is_refused(subject):
    with pytest.raises(InputError, match=r"^method 'salience': is not known; did you mean"):
        faithfulness(subject, ["salience"])
