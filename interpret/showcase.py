"""Clusters to be looked at: which ones, and what of them is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from icmass.interpret.attribution.attribute import attributions
from icmass.interpret.attribution.methods import Method
from icmass.interpret.figures.gallery import GalleryPanel
from icmass.interpret.regions import dominant, kpc_per_pixel, radius_r500c
from icmass.interpret.subject import Subject

__all__ = ["Shown", "chosen_rows", "panels", "shown"]

# What is shown of a sample: the cluster that has most of a column, in this order.
_EXTREMES: Final = (
    ("n_phot_agn_500", "most AGN photons inside R500c"),
    ("cool_core_strength", "strongest cool core"),
    ("dynamical_state", "most disturbed"),
    ("m500c_msun", "most massive"),
    ("redshift", "most distant"),
)


@dataclass(frozen=True)
class Shown:
    """A cluster that is shown.

    Attributes
    ----------
    row : int
        Of the subject.
    why : str
    """

    row: int
    why: str


def chosen_rows(subject: Subject, rows: NDArray[np.int64], n: int) -> list[Shown]:
    """Choose up to n clusters of a sample: the extremes of what is known, then typical ones.

    A cluster that is extreme in several ways is chosen once, for all of them.

    Parameters
    ----------
    subject : Subject
    rows : ndarray of int, shape (m,)
        Of the sample.
    n : int
    """
    names = {column.name for column in subject.catalog.columns}
    found: dict[int, list[str]] = {}
    for name, why in _EXTREMES:
        if name not in names:
            continue
        values = subject.catalog.column(name)[rows].astype(np.float64)
        if not np.isfinite(values).any():
            continue
        row = int(rows[np.nanargmax(values)])
        if row in found or len(found) < n:
            found.setdefault(row, []).append(why)
    mass = subject.catalog.column("m500c_msun")
    left = [row for row in rows.tolist() if row not in found]
    middle = sorted(left, key=lambda row: abs(np.log(mass[row] / np.median(mass[rows]))))
    typical = [Shown(row, "of typical mass") for row in middle[: n - len(found)]]
    return [*(Shown(row, ", ".join(why)) for row, why in found.items()), *typical]


def panels(
    subject: Subject, wanted: Sequence[Shown], method: str | Method, *, baseline: str = "empty"
) -> list[GalleryPanel]:
    """Return what is drawn of clusters, with attributions by ln(1 + N).

    Parameters
    ----------
    subject : Subject
    wanted : sequence of Shown
    method, baseline
        As of `icmass.interpret.attribution.attributions`.

    Raises
    ------
    InputError
        If R500c of a cluster is not known, or as `attributions`.
    """
    rows = np.array([one.row for one in wanted], np.int64)
    radius_r500c(subject, rows)  # must be known
    values = shown(subject, rows.tolist(), method, baseline=baseline)
    catalog = subject.catalog
    pixel_kpc = kpc_per_pixel(subject, rows).tolist()
    result = []
    for one, pixel in zip(wanted, pixel_kpc, strict=True):
        row = catalog.rows()[one.row]
        counts = subject.counts(np.array([one.row]))
        result.append(
            GalleryPanel(
                image=counts[0].sum(axis=0).astype(np.float64),
                attribution=values[one.row],
                dominant=dominant(counts, subject.origins)[0],
                r500c_pixels=float(row["r500c_kpc"]) / pixel,
                pixel_kpc=pixel,
                caption=(
                    f"{one.why}\n{row['m500c_msun'] / 1e14:.2f} 10^14 Msun\n"
                    f"z = {row['redshift']:.2f}"
                ),
            )
        )
    return result


def shown(
    subject: Subject, rows: Sequence[int], method: str | Method, *, baseline: str = "empty"
) -> Mapping[int, NDArray[np.float64]]:
    """Return attributions by row, shape (n_channel, n_y, n_x) each.

    Parameters
    ----------
    subject : Subject
    rows : sequence of int
        Clusters wanted.
    method, baseline
        As of `icmass.interpret.attribution.attributions`.
    """
    found: dict[int, NDArray[np.float64]] = {}
    for one in attributions(
        subject, method, baseline=baseline, rows=np.array(rows, np.int64), batch_size=16
    ):
        found |= dict(zip(one.rows.tolist(), one.values.astype(np.float64), strict=True))
    return found
