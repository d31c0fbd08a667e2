"""The table of a benchmark as CSV, Markdown and JSON, and its figures."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from icmass import __version__
from icmass.estimate.benchmark.rows import Row
from icmass.estimate.benchmark.suites import Suite
from icmass.files import write_text
from icmass.provenance import versions

__all__ = ["COLUMNS", "LEAK_COLUMNS", "Table", "cells", "notes", "write_table"]

#: Heads and contents of the printed table, scatter and bias in % of M.
COLUMNS: Final[tuple[tuple[str, Callable[[dict[str, Any]], str]], ...]] = (
    ("estimator", lambda row: row["label"]),
    ("study", lambda row: _percent(row["paper_scatter"])),
    ("in sample", lambda row: _percent(row["in_sample_scatter"])),
    ("scatter", lambda row: _percent(row["slope_scatter"], row["slope_scatter_error"])),
    ("per z", lambda row: _percent(row["binned_scatter"])),
    ("std of error", lambda row: _percent(row["error_std"])),
    ("68%", lambda row: _percent(row["robust_half_width"])),
    ("bias", lambda row: _percent(row["bias"], row["bias_error"])),
    ("slope", lambda row: _number(row["slope"])),
    ("low end", lambda row: _percent(row["low_end_bias"])),
    ("high end", lambda row: _percent(row["high_end_bias"])),
    ("-ln p", lambda row: _number(row.get("nll"))),
    ("CRPS", lambda row: _number(row.get("crps"), 4)),
    ("cov. 68", lambda row: _percent(row.get("coverage_68"))),
    ("cov. 95", lambda row: _percent(row.get("coverage_95"))),
    ("PIT p", lambda row: _number(row.get("pit_p_value"))),
)
LEAK_COLUMNS: Final = ("estimator", "scatter", "std of error", "bias", "slope")
_MOST_PANELS: Final = 9


@dataclass(frozen=True)
class Table:
    """All rows of a benchmark.

    Attributes
    ----------
    suite : Suite
    seed : int
    fingerprint : str
        Of the catalog, with the selection.
    n_clusters : int
    rows : tuple of Row
    skipped : tuple of str
        What could not be had, and why.
    """

    suite: Suite
    seed: int
    fingerprint: str
    n_clusters: int
    rows: tuple[Row, ...]
    skipped: tuple[str, ...] = ()

    def estimators(self) -> list[Row]:
        """Return the rows that are not tests of leaks."""
        return [row for row in self.rows if not row.leak_test]

    def leaks(self) -> list[Row]:
        """Return the tests of leaks."""
        return [row for row in self.rows if row.leak_test]


def cells(rows: Iterable[Row], heads: Sequence[str] | None = None) -> list[list[str]]:
    """Return the texts of the printed table, one list for each of `rows`.

    Of its `COLUMNS` those of these `heads` are given; all by default.
    """
    wanted = [(head, of) for head, of in COLUMNS if heads is None or head in heads]
    return [[of(row.numbers()) for _, of in wanted] for row in rows]


def notes(table: Table) -> list[str]:
    """Return what must be said with `table`."""
    lines = [
        f"{table.n_clusters:,} clusters, {table.suite.folds} folds of whole haloes, seed "
        f"{table.seed}. Suite {table.suite.statement}.",
        "All in % of M (100 times ln M); images hold gas and AGN, no background, as in the study; "
        "the study's figures are of its own simulation, ours of this catalog.",
        "study: Ho et al. 2023. in sample: the study's form for proxies, from relations that saw "
        "all clusters. scatter: residual of predicted ln M about its line on the truth, over the "
        "slope, of clusters that nobody was fitted to; per z: the same in each redshift bin, "
        "averaged. std of error: smaller where predictions shrink. 68%: half of the central 68% "
        "of errors. low, high end: mean error of the least and the most massive tenth "
        "(regression to the mean).",
    ]
    return [*lines, *(f"Left out: {text}." for text in table.skipped)]


def write_table(table: Table, path: Path) -> None:
    """Write table.csv, table.md, table.json, bins.csv and figures of `table` into folder `path`."""
    numbers = [row.numbers() for row in table.rows]
    write_text(path / "table.csv", _csv(numbers), overwrite=True)
    write_text(path / "bins.csv", _csv(_bins(table.rows)), overwrite=True)
    write_text(path / "table.md", _markdown(table), overwrite=True)
    values = {
        "written_by": f"icmass {__version__}",
        "versions": versions("torch", "pytorch-lightning", "scikit-learn"),
        "suite": table.suite.name,
        "statement": table.suite.statement,
        "seed": table.seed,
        "catalog": table.fingerprint,
        "clusters": table.n_clusters,
        "skipped": list(table.skipped),
        "rows": numbers,
        "bins": _bins(table.rows),
    }
    text = json.dumps(values, indent=1, allow_nan=False) + "\n"
    write_text(path / "table.json", text, overwrite=True)
    _write_figures(table, path)


def _bins(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return every metric of every row in every bin, flat."""
    return [
        {
            "name": row.name,
            "by": one.by,
            "low": one.low,
            "high": one.high,
            "clusters": one.n,
            **{key: value for key, value in one.value.items() if np.isfinite(value)},
            **{f"{k}_error": v for k, v in one.error.items() if np.isfinite(v)},
        }
        for row in rows
        for one in row.by_bin
    ]


def _csv(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _markdown(table: Table) -> str:
    parts = ["# Masses of clusters: a benchmark\n", *(f"{line}\n" for line in notes(table))]
    parts.append(_markdown_table([head for head, _ in COLUMNS], cells(table.estimators())))
    if table.leaks():
        parts.append("## Does the redshift leak?\n")
        parts.append(_markdown_table(list(LEAK_COLUMNS), cells(table.leaks(), LEAK_COLUMNS)))
    return "\n".join(parts)


def _markdown_table(heads: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _write_figures(table: Table, path: Path) -> None:
    from icmass.estimate import figures  # noqa: PLC0415  (matplotlib is slow to load)

    rows = table.estimators()
    networks = [row for row in rows if row.kind == "network"]
    named = {row.label: row.scores for row in networks[-_MOST_PANELS:]}
    drawn = {
        "scatter": figures.table_figure(
            [
                figures.EstimatorRow(
                    row.label,
                    row.kind,
                    row.metrics.value["slope_scatter"],
                    row.metrics.error["slope_scatter"],
                    row.paper,
                )
                for row in rows
            ]
        ),
        "predicted": figures.predicted_against_true(named),
        "pit": figures.pit_figure(named),
        "coverage": figures.coverage_figure(named),
    }
    for row in networks:
        history = _history(path / "runs" / row.name)
        if history:
            drawn[f"learning-{row.name}"] = figures.learning_curve_figure(history)
    for name, figure in drawn.items():
        figures.save(figure, path / f"{name}.png", overwrite=True)


def _history(run: Path) -> dict[str, Any]:
    """Return the loss of every epoch by fold."""
    found = {}
    for file in sorted(run.glob("fold-*/member-0/history.csv")):
        data = np.genfromtxt(file, delimiter=",", names=True)
        found[file.parent.parent.name.replace("-", " ")] = np.atleast_1d(data)
    return found


def _percent(value: float | None, error: float | None = None) -> str:
    if value is None:
        return "-"
    text = f"{round(100 * value, 1) + 0.0:.1f}"  # no -0.0
    return text + ("" if error is None else f" ± {100 * error:.1f}")


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
