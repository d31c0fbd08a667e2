"""What was found out about networks, as sentences: the top of the report."""

from collections.abc import Iterator
from typing import Final

from icmass.interpret.explanation import SHUFFLED_WEIGHTS, Explanation
from icmass.interpret.interventions.measure import EffectSummary
from icmass.interpret.report.statements import (
    Statement,
    agn_statement,
    band_statement,
    change_statement,
    core_statement,
    correlation_statement,
    error_statement,
    share_statement,
    signed_statement,
)
from icmass.interpret.statistics.profiles import CORES
from icmass.interpret.statistics.signed import INSIDE

__all__ = ["claims"]

# Interventions that a sentence is made of: name, and the deed.
_DEEDS: Final = (
    ("no-agn", "removing AGN"),
    ("put-agn-0.5", "one AGN more, as bright as the cluster, at 0.5 R500c"),
    ("no-core-0.285", "removing the core inside 0.285 R500c"),
    ("round", "making clusters round"),
)
_COMPARED: Final = ("N_phot", "N_phot,500")


def claims(found: Explanation) -> list[Statement]:
    """Return what was `found`, most important first."""
    return [
        *_of_interventions(found),
        *_of_agn(found),
        *_of_cores(found),
        *_of_bands(found),
        *_of_methods(found),
        *_of_ablations(found),
    ]


def _of_agn(found: Explanation) -> Iterator[Statement]:
    compared = found.statistics.agn_icm
    if compared is None:
        return
    everything = compared[0]
    yield agn_statement(*everything.equal_brightness.difference_dex)
    yield agn_statement(*everything.plain.difference_dex, matched=False)
    if found.statistics.over_proxy:
        relative = found.statistics.over_proxy[0].equal_brightness
        yield agn_statement(*relative.difference_dex, over_proxy="N_phot")
    inside = [one for one in found.statistics.signed if one.where == INSIDE[-1][0]]
    if inside:
        yield signed_statement(inside[0].agn, inside[0].icm, inside[0].difference)


def _of_cores(found: Explanation) -> Iterator[Statement]:
    for radius in CORES:
        core = found.statistics.core(radius)
        if core is not None:
            yield core_statement(*core.ratio, radius)
            yield core_statement(*core.signed_ratio, radius, kind="signed")
            yield core_statement(*core.share_ratio, radius, kind="share")


def _of_bands(found: Explanation) -> Iterator[Statement]:
    bands = found.statistics.bands
    if len(bands) > 1:
        yield band_statement({band.channel: band.median for band in bands})


def _of_interventions(found: Explanation) -> Iterator[Statement]:
    by_name: dict[str, EffectSummary] = {one.name: one for one in found.effects}
    for name, deed in _DEEDS:
        if name in by_name:
            effect = by_name[name]
            yield change_statement(
                deed,
                effect.network.median,
                {
                    proxy: effect.proxies[proxy].median
                    for proxy in _COMPARED
                    if proxy in effect.proxies
                },
            )


def _of_methods(found: Explanation) -> Iterator[Statement]:
    if found.faithfulness:
        first = found.faithfulness[0]
        yield share_statement(
            f"taking pixels away in the order of {first.method} lowers the mass faster than in "
            "random order",
            *first.deletion_better,
            first.n,
            "cluster",
        )
    for one in found.sanity:
        other = "of networks with shuffled weights"
        if one.name != SHUFFLED_WEIGHTS:
            other = f"of networks {one.name}"
        yield correlation_statement(
            f"saliency maps {other} and those of the trained ones",
            *one.correlation,
            expected_zero=True,
        )


def _of_ablations(found: Explanation) -> Iterator[Statement]:
    reference = next((one for one in found.ablations if one.change_error == 0.0), None)
    if reference is None:
        return
    for one in found.ablations:
        if one is not reference and not one.control:
            yield error_statement(
                one.words,
                (one.error_std, one.error_std_error),
                (reference.error_std, reference.error_std_error),
                one.change_error,
            )
