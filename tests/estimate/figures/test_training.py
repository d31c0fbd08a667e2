"""Loss against epoch, and scatter against the number of training clusters."""

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.estimate.figures import learning_curve_figure, sample_size_figure
from icmass.estimate.metrics.learning import LearningCurve, fit_learning_curve

FIELDS = [("epoch", "i8"), ("train_loss", "f8"), ("validation_loss", "f8")]


def fold(best: int, n: int = 30, offset: float = 0.0) -> np.ndarray:
    """Losses whose validation loss is least at epoch `best`."""
    history = np.zeros(n, FIELDS)
    epoch = history["epoch"] = np.arange(1, n + 1)
    history["train_loss"] = offset + 0.5 * np.exp(-epoch / 10)
    history["validation_loss"] = offset + 0.1 + 0.001 * (epoch - best) ** 2
    return history


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_both_losses_of_each_fold_and_its_best_epoch():
    folds = {0: fold(12), 1: fold(20, n=25), np.int64(5): fold(3), "all": fold(7)}
    figure = learning_curve_figure(folds, loss_label="mean squared error")
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "mean squared error")
    drawn = [line for line in axes.lines if len(line.get_xdata())]
    assert len(drawn) == 12
    for (training, validation, best), history in zip(
        np.reshape(np.array(drawn, object), (4, 3)), folds.values(), strict=True
    ):
        np.testing.assert_array_equal(training.get_ydata(), history["train_loss"])
        np.testing.assert_array_equal(validation.get_ydata(), history["validation_loss"])
        assert best.get_xdata() == history["epoch"][history["validation_loss"].argmin()]
        assert training.get_linestyle() != validation.get_linestyle()
    assert legend(figure) == [
        "fold 0: 12, 0.1",
        "fold 1: 20, 0.1",
        "fold 5: 3, 0.1",
        "all: 7, 0.1",
        "training",
        "validation",
    ]


def test_a_list_of_folds_and_epochs_without_a_loss():
    history = fold(9)
    history["validation_loss"][[0, 8]] = np.nan
    assert legend(learning_curve_figure([fold(4), history]))[1].startswith("fold 1: 8, ")


def test_folds_can_be_told_apart():
    figure = learning_curve_figure([fold(1 + k) for k in range(21)])
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 21


def test_scale_follows_the_losses():
    assert learning_curve_figure([fold(5, offset=1.0)]).axes[0].get_yscale() == "linear"
    steep = fold(5)
    steep["train_loss"] = 10.0 ** -np.linspace(0, 2, 30)
    assert learning_curve_figure([steep]).axes[0].get_yscale() == "log"
    negative = fold(5, offset=-3.0)
    assert learning_curve_figure([negative]).axes[0].get_ylim()[1] > -2.5
    negative["validation_loss"][0] = 1e6
    (axes,) = learning_curve_figure([negative]).axes
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] < -3.0
    assert -2.5 < axes.get_ylim()[1] < 2.0


def test_scatter_with_its_fit_and_floor():
    n, scatter, error = [100, 400, 3000], [0.3, 0.2, 0.16], [0.01, 0.02, 0.005]
    figure = sample_size_figure(n, scatter, error)
    floor, c = fit_learning_curve(n, scatter, error)
    (axes,) = figure.axes
    curve, line, points = axes.lines[:3]
    np.testing.assert_allclose(curve.get_ydata() ** 2, floor**2 + c / curve.get_xdata())
    assert set(line.get_ydata()) == {floor}
    np.testing.assert_array_equal(points.get_xydata(), np.stack([n, scatter], axis=1))
    bars = axes.collections[0].get_segments()
    np.testing.assert_allclose([np.ptp(bar[:, 1]) for bar in bars], 2 * np.array(error))
    assert legend(figure) == [
        rf"$\sigma^2 = {floor:.3f}^2 + {c:.3g}\,/\,n$",
        f"floor {floor:.3f}",
    ]
    assert axes.get_xscale() == "log"
    assert axes.get_ylim()[0] == 0.0
    assert axes.get_xlabel() == "training clusters"
    assert axes.get_ylabel() == r"scatter in $\ln M_{500c}$"


def test_a_given_fit_is_drawn():
    for fit in (LearningCurve(0.123, 5e-7), (0.123, 5e-7)):
        assert legend(sample_size_figure([100, 200], [0.3, 0.2], fit=fit)) == [
            r"$\sigma^2 = 0.123^2 + 5\times 10^{-7}\,/\,n$",
            "floor 0.123",
        ]


def test_bad_history():
    with pytest.raises(InputError, match="history: must be of 1 to 21 folds; got 0"):
        learning_curve_figure([])
    with pytest.raises(InputError, match="got 22"):
        learning_curve_figure([fold(3)] * 22)
    with pytest.raises(InputError, match="history of fold 1: must have the fields epoch, train_lo"):
        learning_curve_figure([fold(3), fold(3)[["epoch", "train_loss"]]])
    with pytest.raises(InputError, match="got none, shape"):
        learning_curve_figure([np.zeros(3)])
    with pytest.raises(InputError, match=r"epoch of fold 0: must have the shape \(n,\) with n > 0"):
        learning_curve_figure([fold(3)[:0]])
    unknown = fold(3)
    unknown["validation_loss"] = np.nan
    with pytest.raises(InputError, match="history of a: must have a finite validation loss"):
        learning_curve_figure({"a": unknown})


def test_bad_sizes():
    with pytest.raises(InputError, match=r"scatter: must have the shape \(3,\); got \(2,\)"):
        sample_size_figure([1, 2, 3], [0.1, 0.2])
    with pytest.raises(InputError, match="n: must be above 0; got 0"):
        sample_size_figure([0, 2, 3], [0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="scatter: must be finite; got 1 others"):
        sample_size_figure([1, 2, 3], [0.1, np.nan, 0.2])
    with pytest.raises(InputError, match="error: must be above 0; got -1"):
        sample_size_figure([1, 2, 3], [0.1, 0.2, 0.3], [1, -1, 1])
    with pytest.raises(InputError, match="at least 3 different numbers of training clusters"):
        sample_size_figure([1, 2], [0.1, 0.2])
    with pytest.raises(InputError, match="fit: must be 0 or more; got LearningCurve"):
        sample_size_figure([1, 2], [0.1, 0.2], fit=(0.1, -3.0))
