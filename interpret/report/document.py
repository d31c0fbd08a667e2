"""Writes what was found out about networks, or about one cluster, as a page with its files."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from icmass.catalog import KEY
from icmass.errors import InputError
from icmass.interpret.attribution import attributions, write_attributions
from icmass.interpret.attribution.methods import METHODS, Saliency
from icmass.interpret.explanation import Explanation, Plan, sample_rows
from icmass.interpret.figures.sheet import sheet_figure
from icmass.interpret.interventions.agn import EncircledEnergy
from icmass.interpret.interventions.measure import measurable, measure_all
from icmass.interpret.interventions.standard import standard_interventions
from icmass.interpret.proxies import by_symbol
from icmass.interpret.report.claims import claims
from icmass.interpret.report.contents import sections
from icmass.interpret.report.page import Picture, Section, write_report
from icmass.interpret.report.statements import Statement, legend
from icmass.interpret.report.tables import Table
from icmass.interpret.showcase import Shown, chosen_rows, panels, shown
from icmass.interpret.subject import Subject

__all__ = ["write_cluster", "write_explanation"]

_IG: Final = "integrated-gradients"
_CONTRIBUTION: Final = "integrated gradients, ln M of a pixel"
_WIDE_R500C: Final = 2.2


def write_explanation(
    directory: Path, found: Explanation, provenance: Mapping[str, Any]
) -> list[Statement]:
    """Write the report on networks: report.html, figures, tables, attributions, numbers.

    Parameters
    ----------
    directory : Path
        Empty.
    found : Explanation
    provenance : mapping
        What it was made from.

    Returns
    -------
    list of Statement
        What the page says first.
    """
    subject, plan = found.subject, found.plan
    tested = sample_rows(subject, plan.tested, plan.seed)
    gallery = panels(
        subject,
        chosen_rows(subject, sample_rows(subject, plan.sample, plan.seed), plan.shown),
        plan.method(_IG),
        baseline=plan.baseline,
    )
    statements = claims(found)
    write_report(
        directory,
        "What the networks look at",
        sections(found, gallery, attribution=_CONTRIBUTION),
        statements,
        provenance,
        lead=(
            f"{found.statistics.n_clusters:,} clusters of {subject.catalog.path.name} "
            f"({found.statistics.n_haloes:,} haloes), networks that see "
            f"{', '.join(channel.name for channel in subject.channels)} of "
            f"{', '.join(subject.origins)}; explained is the {subject.target.words} of ln M500c. "
            f"{legend(statements)} Maps are compared with the {plan.baseline} baseline."
        ),
    )
    text = json.dumps(found.to_dict(), indent=1, allow_nan=False) + "\n"
    (directory / "numbers.json").write_text(text, encoding="utf-8")
    for name, rows in found.statistics.tables().items():
        if rows:
            _write_rows(directory / "tables" / f"all-{name}.csv", rows)
    write_attributions(
        directory / "integrated-gradients.h5",
        subject,
        plan.method(_IG),
        baseline=plan.baseline,
        rows=tested,
        found=found.maps,
    )
    return statements


def write_cluster(
    directory: Path,
    subject: Subject,
    row: int,
    plan: Plan,
    provenance: Mapping[str, Any],
    *,
    slopes: Mapping[str, float],
    psf: EncircledEnergy | None = None,
) -> list[Statement]:
    """Write a report on one cluster: its maps by several methods, and what changes do to it.

    Parameters
    ----------
    directory : Path
        Empty.
    subject : Subject
    row : int
        Of the subject.
    plan : Plan
    provenance : mapping
    slopes : mapping of str to float
        Of proxies, as of `icmass.interpret.explanation.explain`.
    psf : EncircledEnergy, optional
        Of the telescope.

    Returns
    -------
    list of Statement
    """
    (panel,) = panels(subject, [Shown(row, "")], plan.method(_IG), baseline=plan.baseline)
    maps = {}
    for name in METHODS:
        if name == _IG:
            continue
        try:
            maps[name] = shown(subject, [row], name, baseline=plan.baseline)[row]
        except InputError:  # such as Grad-CAM without convolutions
            continue
    changes = _changes(subject, row, plan, slopes, psf)
    cells = {words: dict(values) for words, values in changes.items()}
    statements = _about(subject, row, plan)
    key = "/".join(str(subject.catalog.column(name)[row]) for name in KEY)
    figure = sheet_figure(
        panel,
        channels=[channel.name for channel in subject.channels],
        origins=subject.origins,
        methods=maps,
        changes=cells,
        label=_CONTRIBUTION,
        zoom_r500c=_WIDE_R500C,
    )
    section = Section(
        "Maps and changes",
        ("Red raises the mass, blue lowers it. North is up, east left.",),
        (
            Picture(
                "cluster",
                figure,
                "Photons, origins, attributions by each method, and what changes do to ln M.",
                f"Images and maps of attribution of cluster {key}",
            ),
        ),
        (
            Table(
                "changes",
                "Change of ln M by networks and by proxies",
                ("change", *next(iter(cells.values()), {})),
                tuple((words, *values.values()) for words, values in cells.items()),
            ),
        ),
    )
    write_report(directory, f"Cluster {key}", [section], statements, provenance)
    return statements


def _changes(
    subject: Subject,
    row: int,
    plan: Plan,
    slopes: Mapping[str, float],
    psf: EncircledEnergy | None,
) -> dict[str, dict[str, float]]:
    rows = np.union1d(sample_rows(subject, plan.sample, plan.seed), [row])
    asked = subject.select(rows)
    made, _ = standard_interventions(asked, psf, seed=plan.seed)
    place = np.flatnonzero(rows == row)
    return {
        one.words: {
            "networks": float(one.network[0]),
            **{name: float(values[0]) for name, values in one.proxies.items()},
        }
        for one in measure_all(asked, made, place, measurable(asked.catalog, by_symbol(slopes)))
    }


def _about(subject: Subject, row: int, plan: Plan) -> list[Statement]:
    (found,) = attributions(subject, plan.method(_IG), baseline=plan.baseline, rows=np.array([row]))
    truth = float(np.log(subject.catalog.column("m500c_msun")[row]))
    true = "" if subject.target.name == "std" else f"; true is {truth:.3f}"
    said, start = float(found.prediction[0]), float(found.baseline_prediction[0])
    gradient = next(attributions(subject, Saliency(), space="photons", rows=np.array([row])))
    strongest = float(np.abs(gradient.values).max())
    return [
        Statement(f"The networks' {subject.target.words} of ln M500c is {said:.3f}{true}."),
        Statement(
            f"Of the {plan.baseline} baseline they say {start:.3f}; integrated gradients share out "
            f"the difference of {said - start:+.3f} but for {found.completeness[0]:+.4f}."
        ),
        Statement(f"One photon more in any pixel changes ln M by at most {strongest:.4f}."),
    ]


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
