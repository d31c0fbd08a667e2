"""Profiles, distributions, interventions, faithfulness, ablations and sanity checks as drawn."""

import dataclasses

import numpy as np
import pytest

from icmass.errors import InputError
from icmass.interpret.figures import (
    AblationRow,
    ChangeRow,
    Curve,
    Distribution,
    Effect,
    FaithfulnessRow,
    ProfileLine,
    SanityRow,
    ablation_figure,
    distribution_figure,
    faithfulness_figure,
    intervention_figure,
    profile_figure,
    sanity_figure,
)

NAN = np.nan


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_profiles_and_their_ratios(profiles):
    figure = profile_figure(profiles)
    assert len(figure.axes) == 4
    soft, hard, soft_ratio, _ = figure.axes
    assert [axes.get_title() for axes in (soft, hard)] == ["soft", "hard"]
    assert soft.get_xscale() == soft.get_yscale() == soft_ratio.get_yscale() == "log"
    assert soft_ratio.get_xlabel() == r"projected radius $r\,/\,R_{500c}$"
    assert soft_ratio.get_ylabel() == "network / proxy"
    assert r"\partial\,\ln M" in soft.get_ylabel()
    assert legend(figure) == ["network", "implied by N_phot", "implied by L_X"]
    network, _, luminosity = soft.lines[:3]
    np.testing.assert_allclose(network.get_ydata(), profiles[0].lines[0].value)
    np.testing.assert_allclose(network.get_xdata()[:2], [0.025, (0.05 * 0.15) ** 0.5])
    assert np.isnan(luminosity.get_ydata()[-1])  # it implies nothing outside R500c
    np.testing.assert_allclose(soft_ratio.lines[0].get_ydata(), profiles[0].ratios[0].value)
    low, high = soft.get_ylim()
    assert low < 5e-6
    assert high > 7e-3
    marked = [line.get_xdata()[0] for line in soft.lines if len(line.get_xdata()) == 2]
    assert marked == [0.15, 0.285, 1.0]
    band = soft.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == pytest.approx(0.9e-4)
    assert band.max() == pytest.approx(6.6e-4)


def test_a_single_profile_without_ratios(profiles):
    panel = dataclasses.replace(profiles[0], ratios=(), lines=profiles[0].lines[:1])
    assert len(profile_figure([panel]).axes) == 1
    nothing = dataclasses.replace(
        profiles[0],
        ratios=tuple(ProfileLine("r", np.full(6, NAN), np.full(6, NAN)) for _ in range(2)),
    )
    assert len(profile_figure([nothing]).axes) == 2


def test_bad_profiles(profiles):
    panel = profiles[0]
    with pytest.raises(InputError, match=r"panels: must be 1 to 4; got 0"):
        profile_figure([])
    with pytest.raises(InputError, match=r"edges of 'soft': must ascend from 0 or more; got"):
        dataclasses.replace(panel, edges=panel.edges[::-1])
    with pytest.raises(InputError, match=r"profile 'a': must have the shape \(6,\); got \(5,\)"):
        dataclasses.replace(panel, lines=(ProfileLine("a", np.ones(5), np.ones(5)),))
    with pytest.raises(InputError, match=r"lines of 'soft': must be 1 to 7; got 0"):
        dataclasses.replace(panel, lines=())
    nothing = dataclasses.replace(panel, lines=(ProfileLine("a", np.zeros(6), np.zeros(6)),))
    with pytest.raises(InputError, match=r"profiles: must have a value above 0; got none"):
        profile_figure([nothing])


def test_distributions_have_equal_area_and_marked_medians(distributions):
    figure = distribution_figure(distributions)
    assert len(figure.axes) == 2
    for panel, axes in zip(distributions, figure.axes, strict=True):
        steps = [patch for patch in axes.patches if hasattr(patch, "get_data")]
        for one, step in zip(panel.distributions, steps, strict=True):
            values, edges, _ = step.get_data()
            assert (values * np.diff(edges)).sum() == pytest.approx(1.0)
            np.testing.assert_allclose(values, one.weight / one.weight.sum() / 0.1)
        medians = [line.get_xdata()[0] for line in axes.lines]
        assert medians == [one.median for one in panel.distributions]
        assert axes.get_title() == f"{panel.title}\n{panel.note}"
    entries = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert entries == ["ICM: −3.500 ± 0.004", "AGN: −3.900 ± 0.013"]
    low, high = figure.axes[0].get_xlim()
    assert -5.8 < low < -5.0
    assert -2.4 < high < -1.7
    assert figure.axes[0].get_ylabel() == "density per dex"


def test_distributions_without_agn(distributions):
    panel = distributions[0]
    icm, agn = panel.distributions
    none = Distribution("AGN", 0.0 * agn.weight, NAN)
    figure = distribution_figure([dataclasses.replace(panel, distributions=(icm, none))])
    assert len(figure.axes[0].get_legend().get_texts()) == 1
    both = [panel, dataclasses.replace(panel, distributions=(none,), title="hard")]
    assert texts(distribution_figure(both)) == ["no such pixels"]
    with pytest.raises(InputError, match=r"panels: must have pixels; got none\. Leave"):
        distribution_figure(both[1:])


def test_bad_distributions(distributions):
    panel = distributions[0]
    with pytest.raises(InputError, match=r"weight of 'AGN': must be 0 or more; got -1\.0"):
        Distribution("AGN", np.array([1.0, -1.0]), 0.0)
    with pytest.raises(InputError, match=r"median_error of 'AGN': must be 0 or more, or NaN"):
        Distribution("AGN", np.ones(2), 0.0, -1.0)
    with pytest.raises(InputError, match=r"edges of 'all pixels': must ascend; got"):
        dataclasses.replace(panel, edges=np.zeros(71))
    with pytest.raises(InputError, match=r"weight of 'ICM': must have the shape \(69,\); got \(70"):
        dataclasses.replace(panel, edges=panel.edges[1:])
    with pytest.raises(InputError, match=r"weight of 'a': must have the shape \(n,\); got \(0,\)"):
        Distribution("a", np.zeros(0), 0.0)


def test_interventions(changes):
    figure = intervention_figure(changes)
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["remove AGN", "no core"]  # what is not known is left out
    assert texts(figure) == ["−0.010 ± 0.004", "+0.050 ± 0.010"]
    assert legend(figure) == ["network", "N_phot", "16–84% of clusters"]
    assert axes.get_xscale() == "linear"
    low, high = axes.get_xlim()
    assert low < -0.7
    assert high > 0.1
    ranges = [
        (line.get_xdata()[0], line.get_xdata()[1], line.get_ydata()[0])
        for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_ydata()[0] == line.get_ydata()[1]
    ]
    assert any(r[:2] == (-0.03, 0.01) and r[2] < 0.0 for r in ranges)


def test_large_interventions_get_a_logarithmic_axis(changes):
    wide = [*changes, ChangeRow("bright", {"N_phot": Effect(3.0, 0.1, 2.5, 3.6)})]
    axes = intervention_figure(wide).axes[0]
    assert axes.get_xscale() == "symlog"
    ticks = axes.get_xticks()
    assert {-1.0, -0.1, 0.0, 0.1, 3.0} <= set(ticks)
    assert axes.get_xlim()[1] > 3.6
    zero = intervention_figure([ChangeRow("a", {"network": Effect(0.0)})])
    assert texts(zero) == ["+0.000"]


def test_bad_interventions(changes):
    with pytest.raises(InputError, match=r"rows: must be 1 to 60; got 0"):
        intervention_figure([])
    with pytest.raises(InputError, match=r"rows: must have a finite median; got none"):
        intervention_figure(changes[1:2])
    with pytest.raises(InputError, match=r"estimators: must be 1 to 5; got 6"):
        intervention_figure([ChangeRow("a", {str(k): Effect(0.1) for k in range(6)})])
    with pytest.raises(InputError, match=r"range of an effect: must ascend; got 1.0 to 0.0"):
        Effect(0.5, 0.1, 1.0, 0.0)
    with pytest.raises(InputError, match=r"error of an effect: must be 0 or more, or NaN; got -1"):
        Effect(0.5, -1.0)


def test_faithfulness(methods):
    figure = faithfulness_figure(methods)
    deletion, insertion, beaten, correlation = figure.axes
    assert legend(figure) == ["integrated gradients", "Grad-CAM", "random order"]
    np.testing.assert_allclose(deletion.lines[0].get_ydata(), methods[0].deletion.value)
    np.testing.assert_allclose(insertion.lines[2].get_ydata(), methods[2].insertion.value)
    assert deletion.lines[2].get_color() == "black"
    assert deletion.get_xlabel() == "share of pixels taken away, most attributed first"
    ticks = [label.get_text() for label in deletion.get_xticklabels()]
    assert ticks == ["0%", "0.1%", "1%", "10%", "100%"]
    assert [bar.get_width() for bar in beaten.patches] == [pytest.approx(97.0)]
    assert [bar.get_width() for bar in correlation.patches] == [0.9]
    assert texts(figure) == ["not measured", "not measured"]
    assert [label.get_text() for label in beaten.get_yticklabels()] == [
        "integrated gradients",
        "Grad-CAM",
    ]
    assert any(line.get_xdata()[0] == 95.0 for line in beaten.lines)
    assert len(faithfulness_figure(methods[2:]).axes) == 2


def test_bad_faithfulness(methods):
    curve = methods[0].deletion
    with pytest.raises(InputError, match=r"methods: must be 1 to 12; got 0"):
        faithfulness_figure([])
    with pytest.raises(InputError, match=r"fraction: must ascend from 0 to 1; got"):
        dataclasses.replace(curve, fraction=curve.fraction * 2)
    with pytest.raises(InputError, match=r"value of a curve: must have the shape \(7,\); got"):
        Curve(curve.fraction, curve.value[1:], curve.error)
    with pytest.raises(InputError, match=r"beaten_error of 'a': must be 0 or more, or NaN"):
        FaithfulnessRow("a", curve, curve, 0.5, -0.1)


def test_ablations(ablations):
    figure = ablation_figure(ablations)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["as trained", "AGN removed"]
    assert texts(figure) == ["0.130 ± 0.003", "0.117 ± 0.003  (×0.90)"]
    assert any(np.all(np.asarray(line.get_xdata()) == 0.13) for line in axes.lines)
    assert axes.get_xlabel() == r"standard deviation of the error in $\ln M$"
    assert len(ablation_figure(ablations[:1]).axes) == 1


def test_bad_ablations(ablations):
    with pytest.raises(InputError, match=r"rows: must hold one reference .*; got 0\. Set ref"):
        ablation_figure(ablations[1:])
    with pytest.raises(InputError, match=r"rows: must be 1 to 60; got 0"):
        ablation_figure([])
    for wrong in (0.0, -0.1, np.inf):
        with pytest.raises(InputError, match=r"deviation of .a.: must be above 0 and finite; got"):
            AblationRow("a", wrong)
    with pytest.raises(InputError, match=r"error of 'a': must be 0 or more, or NaN; got -0\.1"):
        AblationRow("a", 0.1, -0.1)


def test_sanity(nulls):
    figure = sanity_figure(nulls)
    correlation, contrast, core = figure.axes
    assert "correlation" in correlation.get_xlabel()
    assert "dex" in contrast.get_xlabel()
    assert core.get_xscale() == "log"
    points = {line.get_xdata()[0] for line in contrast.lines if line.get_marker() in {"o", "s"}}
    assert {0.01, -0.03, -0.31} <= points
    # Panels without a number are left out.
    assert len(sanity_figure([SanityRow("a", 0.1)]).axes) == 1
    with pytest.raises(InputError, match=r"rows: must have a finite number; got none"):
        sanity_figure([SanityRow("a")])
    with pytest.raises(InputError, match=r"rows: must be 1 to 20; got 0"):
        sanity_figure([])
    with pytest.raises(InputError, match=r"core_error of 'a': must be 0 or more, or NaN; got -1"):
        SanityRow("a", core_error=-1.0)
