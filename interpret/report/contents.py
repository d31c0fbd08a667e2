"""The sections of a report: figures, tables and what they show."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from icmass.interpret.explanation import Explanation, sample_rows
from icmass.interpret.figures import (
    Distribution,
    DistributionPanel,
    GalleryPanel,
    ProfileLine,
    ProfilePanel,
    distribution_figure,
    gallery_figure,
    profile_figure,
)
from icmass.interpret.proxies import PROXY_SYMBOLS
from icmass.interpret.report.causes import ablations, checks, faithfulness, interventions
from icmass.interpret.report.page import Picture, Section
from icmass.interpret.report.rounding import plus_minus
from icmass.interpret.report.tables import Table
from icmass.interpret.statistics.galaxies import EDGES, Galaxies
from icmass.interpret.statistics.matching import AgnIcm
from icmass.interpret.statistics.number import Number
from icmass.interpret.statistics.pixels import LOG_SALIENCY
from icmass.interpret.statistics.profiles import Profile
from icmass.interpret.statistics.summary import Statistics

__all__ = ["sections"]

_ZOOM_R500C: Final = 2.2
_MOST_PANELS: Final = 4


def sections(
    found: Explanation, gallery: Sequence[GalleryPanel], *, attribution: str
) -> list[Section]:
    """Return the sections of a report.

    Parameters
    ----------
    found : Explanation
    gallery : sequence of GalleryPanel
        Clusters to be shown.
    attribution : str
        What the gallery's attributions are, with their unit.
    """
    made = [
        _gallery(found, gallery, attribution),
        _regions(found),
        _profiles(found),
        _groups(found),
        *([] if found.galaxies is None else [_galaxies(found.galaxies)]),
        interventions(found),
        faithfulness(found),
        checks(found),
    ]
    if found.ablations:
        made.append(ablations(found))
    if found.notes:
        made.append(Section("What was left out", found.notes))
    return made


def _gallery(found: Explanation, gallery: Sequence[GalleryPanel], attribution: str) -> Section:
    sampled = sample_rows(found.subject, found.plan.sample, found.plan.seed)
    figure = gallery_figure(
        gallery,
        channels=[channel.name for channel in found.subject.channels],
        origins=found.subject.origins,
        label=attribution,
        zoom_r500c=_ZOOM_R500C,
    )
    return Section(
        "Clusters, and what networks see in them",
        (
            "Each cluster is judged by the networks of the fold that did not train on it, as it "
            "stands (predictions of a run may be averages over turns and mirrors). Red raises the "
            "mass, blue lowers it.",
            f"Extremes, such as most massive, are of the {len(sampled):,} clusters of the sample, "
            f"of {len(found.subject):,} in all.",
        ),
        (
            Picture(
                "gallery",
                figure,
                "Photons, attributions, and which origin most photons of a pixel have. Solid "
                "circle: R500c; dashed: 0.15 R500c. North is up, east left.",
                "Images of clusters beside maps of attribution and of the origin of photons",
            ),
        ),
    )


def _regions(found: Explanation) -> Section:
    statistics = found.statistics
    paragraphs = [
        "Saliency is |d ln M / d ln(1 + N)| of a pixel with N photons, the same number as "
        "|d log10 M / d log10(1 + N)|. A pixel belongs to the origin that most of its photons "
        "have. Equal brightness: pixels of gas are weighted to the counts and radii of pixels of "
        "AGN, channel by channel. Errors are of haloes drawn again.",
        "A pixel of so many photons is a larger part of a faint cluster, and faint clusters have "
        "more pixels of AGN: even N_phot, which counts all photons alike, would seem to look at "
        "AGN. So saliency is also told over what N_phot implies for the same pixel, and compared "
        "inside clusters.",
    ]
    if statistics.agn_icm_reason:
        paragraphs.append(f"AGN and gas are not compared: {statistics.agn_icm_reason}")
    return Section(
        "AGN, gas, bands and structures",
        tuple(paragraphs),
        (_distributions(statistics),) if statistics.agn_icm else (),
        tuple(_region_tables(statistics)),
    )


def _region_tables(statistics: Statistics) -> Iterator[Table]:
    if statistics.agn_icm:
        yield _compared(
            "agn_icm",
            "Saliency in pixels dominated by AGN and by gas: log10 of medians, and their "
            "difference in dex",
            statistics.agn_icm,
        )
    if statistics.over_proxy:
        yield _compared(
            "over_proxy",
            "The same of saliency over what N_phot implies for the same pixel",
            statistics.over_proxy,
        )
    if statistics.signed:
        yield Table(
            "signed",
            "Mean d ln M / d ln(1 + N) with its sign of pixels of AGN, and of pixels of gas of "
            "their counts and radius in the same cluster",
            ("channel", "where", "pixels of AGN", "AGN", "gas", "difference"),
            tuple(
                (one.channel, one.where, one.n_pixels, one.agn, one.icm, one.difference)
                for one in statistics.signed
            ),
        )
    yield Table(
        "bands",
        "log10 of the median saliency by channel; times the deviation of ln(1 + N) it is that "
        "by a standardised input",
        ("channel", "all pixels", "filled pixels", "deviation of ln(1 + N)"),
        tuple(
            (one.channel, one.median, one.median_filled, one.pixel_std) for one in statistics.bands
        ),
    )
    if statistics.structures:
        yield Table(
            "structures",
            "Saliency in structures over that of other pixels of their radii, as it is and "
            "over 1 + N",
            ("kind", "clusters", "ratio", "ratio over 1 + N"),
            tuple(
                (one.kind, one.n_clusters, one.ratio, one.ratio_per_photon)
                for one in statistics.structures
            ),
        )


def _compared(name: str, caption: str, compared: Sequence[AgnIcm]) -> Table:
    return Table(
        name,
        caption,
        ("channel", "compared", "AGN", "gas", "difference", "ratio of means, dex"),
        tuple(
            (
                one.channel,
                words,
                way.agn.median,
                way.icm.median,
                way.difference_dex,
                way.mean_ratio_dex,
            )
            for one in compared
            for words, way in (
                ("all", one.plain),
                ("equal brightness", one.equal_brightness),
                ("the same in one cluster", one.same_cluster),
            )
        ),
    )


def _distributions(statistics: Statistics) -> Picture:
    compared = (statistics.agn_icm or ())[0]
    panels = []
    for words, way in (("all", compared.plain), ("equal brightness", compared.equal_brightness)):
        (found,) = (
            one
            for one in statistics.histograms
            if (one.channel, one.way) == (compared.channel, way.way)
        )
        # The lowest bin holds pixels without any saliency, which have no logarithm.
        first = 1 if found.edges[0] <= LOG_SALIENCY[0] else 0
        value, error = way.difference_dex
        panels.append(
            DistributionPanel(
                words,
                np.array(found.edges[first:]),
                (
                    Distribution("agn", np.array(found.agn[first:]), way.agn.median),
                    Distribution("icm", np.array(found.icm[first:]), way.icm.median),
                ),
                f"AGN \N{MINUS SIGN} gas: {plus_minus(value, error, signed=True)} dex",
            )
        )
    return Picture(
        "distributions",
        distribution_figure(panels),
        "Saliency of pixels that hold mostly photons of AGN or of gas, with medians; at the "
        "right, gas weighted to the counts and radii of AGN. Pixels without saliency are left out.",
        "Histograms of saliency in pixels of AGN and of gas",
    )


def _profiles(found: Explanation) -> Section:
    statistics = found.statistics
    shown = statistics.profiles[-_MOST_PANELS:]
    slopes = [pair for pair in statistics.slopes.items() if pair[0] in PROXY_SYMBOLS]
    figure = profile_figure([_profile_panel(one) for one in shown])
    cores = Table(
        "cores",
        "Networks against proxies inside a radius: sums of saliency over sums of what the proxy "
        "implies for the same pixels; shares are of what lies inside R500c; signed: of gradients, "
        "below 0 where photons lower the mass",
        ("channel", "proxy", "radius, R500c", "clusters", "ratio", "of shares", "signed"),
        tuple(
            (
                one.channel,
                PROXY_SYMBOLS[one.proxy],
                one.radius,
                one.n_clusters,
                one.ratio,
                one.share_ratio,
                one.signed_ratio,
            )
            for one in statistics.cores
        ),
    )
    return Section(
        "Radii",
        (
            "N_phot implies (N + 1) / (N_phot alpha) for a pixel with N photons of gas and AGN, "
            "L_X the same of photons of gas inside R500c: what an estimator that weighs all "
            "photons alike would show. alpha is the slope of the proxy with mass: "
            + ", ".join(f"{PROXY_SYMBOLS[name]} {slope:.2f}" for name, slope in slopes)
            + ".",
        ),
        (
            Picture(
                "profiles",
                figure,
                "Mean saliency of a pixel against projected radius: median over clusters, with "
                "bands of one error.",
                "Radial profiles of saliency beside what luminosity and photon counts imply",
            ),
        ),
        (cores,),
    )


def _profile_panel(one: Profile) -> ProfilePanel:
    n_ring = int(np.isfinite(one.high).sum())  # the last has no outer edge

    def line(name: str, numbers: Sequence[Number]) -> ProfileLine:
        value, error = np.array(numbers[:n_ring], np.float64).T
        return ProfileLine(name, value, error)

    known = {
        name: f"{symbol} implies"
        for name, symbol in PROXY_SYMBOLS.items()
        if name in one.implied and name != "n_phot_500"
    }
    return ProfilePanel(
        one.channel,
        np.array([*one.low[:n_ring], one.high[n_ring - 1]]),
        (
            line("networks", one.saliency),
            *(line(words, one.implied[name]) for name, words in known.items()),
        ),
        tuple(line(words, one.ratio[name]) for name, words in known.items()),
    )


def _groups(found: Explanation) -> Section:
    return Section(
        "Kinds of clusters",
        ("Halves of the sample by mass, redshift and state.",),
        (),
        (
            Table(
                "groups",
                "AGN against gas at equal brightness (dex), and networks against N_phot inside "
                "0.285 R500c, all channels",
                ("halves by", "half", "from", "to", "clusters", "AGN - gas", "core", "core share"),
                tuple(
                    (
                        one.by.replace("_", " "),
                        one.side,
                        one.low,
                        one.high,
                        one.n_clusters,
                        one.difference_dex,
                        one.core_ratio,
                        one.core_share_ratio,
                    )
                    for one in found.statistics.groups
                ),
            ),
        ),
    )


def _galaxies(found: Galaxies) -> Section:
    return Section(
        "Galaxies and photons",
        (
            f"Integrated gradients from a cluster without galaxies, and from one without photons, "
            f"of {found.n:,} clusters.",
        ),
        (),
        (
            Table(
                "galaxies",
                "Median of ln M less ln M without them, and of its size",
                ("part", "change of ln M", "size"),
                (
                    ("galaxies", found.galaxies, found.galaxies_size),
                    ("photons", found.photons, found.photons_size),
                ),
            ),
            Table(
                "galaxies_where",
                "Part of the sizes of attributions to galaxies by place in the cube, in parts of "
                "its half-width",
                ("from", "to", "projected radius", "|v|"),
                tuple(
                    (low, high, radius, speed)
                    for low, high, radius, speed in zip(
                        EDGES[:-1], EDGES[1:], found.by_radius, found.by_velocity, strict=True
                    )
                ),
            ),
        ),
    )
