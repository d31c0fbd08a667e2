"""Sections of a report on causes and checks: interventions, tests of maps, controls, ablations."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from icmass.interpret.explanation import Explanation
from icmass.interpret.figures import (
    AblationRow,
    ChangeRow,
    Curve,
    Effect,
    FaithfulnessRow,
    SanityRow,
    ablation_figure,
    faithfulness_figure,
    intervention_figure,
    sanity_figure,
)
from icmass.interpret.report.page import Picture, Section
from icmass.interpret.report.tables import Table
from icmass.interpret.statistics.number import Number

__all__ = ["ablations", "checks", "faithfulness", "interventions"]


def interventions(found: Explanation) -> Section:
    """Return what was `found` to become of masses when clusters are changed."""
    rows = [
        ChangeRow(
            one.words,
            {
                name: Effect(*spread.median, spread.low, spread.high)
                for name, spread in (("networks", one.network), *one.proxies.items())
            },
        )
        for one in found.effects
    ]
    proxies = list(found.effects[0].proxies) if found.effects else []
    table = Table(
        "interventions",
        "Median change of ln M when clusters are changed and asked again; slope: of the change on "
        "the difference to the partner whose gas is taken",
        ("change", "clusters", "networks", *proxies, "slope"),
        tuple(
            (
                one.words,
                one.n,
                one.network.median,
                *(one.proxies[name].median for name in proxies),
                one.slope if np.isfinite(one.slope.value) else None,
            )
            for one in found.effects
        ),
    )
    pictures: tuple[Picture, ...] = ()
    if rows:
        pictures = (
            Picture(
                "interventions",
                intervention_figure(rows),
                "Change of ln M: medians with errors, and what 16-84% of clusters do.",
                "Changes of mass by networks and by proxies when clusters are changed",
            ),
        )
    return Section(
        "Cause, not gradient",
        (
            "Origins of photons are kept apart, so clusters can be changed and observed again. "
            "Proxies are of gas and AGN, without background.",
        ),
        pictures,
        (table,),
    )


def faithfulness(found: Explanation) -> Section:
    """Return how right the maps of each method were `found` to be."""
    tested = found.faithfulness
    rows = []
    for one in tested:
        deletion, insertion = (_curve(one.fraction, c) for c in (one.deletion, one.insertion))
        better, correlation = one.deletion_better, one.correlation
        rows.append(FaithfulnessRow(one.method, deletion, insertion, *better, *correlation))
    first = tested[0]
    chance = (_curve(first.fraction, c) for c in (first.random_deletion, first.random_insertion))
    rows.append(FaithfulnessRow("random order", next(chance), next(chance), random=True))
    table = Table(
        "faithfulness",
        "Share of clusters in which a method's order beats a random one; median area between the "
        "curves, ln M; correlation over 8 x 8 patches of what is said with what is lost",
        ("method", "clusters", "deletion better", "insertion better", "gain", "correlation"),
        tuple(
            (
                one.method,
                one.n,
                one.deletion_better,
                one.insertion_better,
                one.deletion_gain,
                one.correlation,
            )
            for one in tested
        ),
    )
    missing = next((m.incomplete for m in tested if np.isfinite(m.incomplete)), np.nan)
    return Section(
        "Are the maps right?",
        (
            "Pixels are replaced by the baseline in the order of a map (deletion), or put back "
            "into it (insertion), and networks are asked at each step.",
            f"Integrated gradients with {found.plan.n_steps} steps add up to the difference from "
            f"the baseline within {100.0 * missing:.2g}% (median over clusters).",
        ),
        (
            Picture(
                "faithfulness",
                faithfulness_figure(rows, label="median change of ln M against the whole image"),
                "Deletion and insertion, and how often and how well each method is right.",
                "Curves of deletion and insertion for each method of attribution",
            ),
        ),
        (table,),
    )


def checks(found: Explanation) -> Section:
    """Return what networks that learnt nothing were `found` to show."""
    statistics = found.statistics
    own_core = statistics.core()
    own = SanityRow(
        "as trained",
        contrast=_value(statistics.agn_icm, 0),
        contrast_error=_value(statistics.agn_icm, 1),
        core=np.nan if own_core is None else own_core.ratio.value,
        core_error=np.nan if own_core is None else own_core.ratio.error,
        explained=True,
    )
    rows = [own]
    for one in found.sanity:
        difference = one.difference_dex or Number(np.nan, np.nan)
        core = Number(np.nan, np.nan) if one.core is None else one.core.ratio
        rows.append(SanityRow(one.name, *one.correlation, *difference, *core))
    return Section(
        "Networks that learnt nothing",
        (
            "Maps of a method that shows what was learnt must not look the same for networks "
            "that learnt nothing (Adebayo et al. 2018).",
        ),
        (
            Picture(
                "sanity",
                sanity_figure(rows),
                "Rank correlation of saliency maps with those explained, AGN against gas at equal "
                "brightness, and the core against N_phot.",
                "Numbers of networks with shuffled weights and masses beside the trained ones",
            ),
        ),
        (
            Table(
                "sanity",
                "The same numbers",
                ("networks", "correlation", "AGN - gas, dex", "core against N_phot"),
                tuple(
                    (
                        row.name,
                        (row.correlation, row.correlation_error),
                        (row.contrast, row.contrast_error),
                        (row.core, row.core_error),
                    )
                    for row in rows
                ),
            ),
        ),
    )


def ablations(found: Explanation) -> Section:
    """Return what was `found` to become of networks that are trained without something."""
    rows = found.ablations
    figure = ablation_figure(
        [
            AblationRow(one.words, one.error_std, one.error_std_error, one.change_error == 0.0)
            for one in rows
        ]
    )
    return Section(
        "What is needed",
        (
            "The same network, trained and tested without something. Holes have fixed sizes in "
            "kpc: one of the true R500c would tell the mass.",
        ),
        (
            Picture(
                "ablations",
                figure,
                "Standard deviation of the error in ln M, out of fold, with errors.",
                "Error of networks that were trained without parts of the data",
            ),
        ),
        (
            Table(
                "ablations",
                "Out-of-fold errors in ln M; the difference has the error of the same haloes drawn "
                "for both",
                ("trained", "clusters", "scatter", "std of error", "against as it is"),
                tuple(
                    (
                        one.words,
                        one.n,
                        (one.scatter, one.scatter_error),
                        (one.error_std, one.error_std_error),
                        None if one.change_error == 0.0 else (one.change, one.change_error),
                    )
                    for one in rows
                ),
            ),
        ),
    )


def _curve(fraction: Sequence[float], value: Sequence[float]) -> Curve:
    return Curve(np.array(fraction), np.array(value), np.full(len(value), np.nan))


def _value(compared: Any, place: int) -> float:
    return np.nan if compared is None else compared[0].equal_brightness.difference_dex[place]
