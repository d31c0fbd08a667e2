"""`icmass evaluate`: what becomes of an estimator on other data than its training data."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.options import INPUT, AsJson, Overwrite, RunDirectory, Where, to_directory
from icmass.cli.printing import print_json, print_wide_table

if TYPE_CHECKING:
    from icmass.catalog import Catalog
    from icmass.estimate.runs import Run
    from icmass.estimate.shifts import ShiftScores

__all__ = ["evaluate"]

# Heads of the table, and the keys of a row: a number and, if there is one, its error.
_COLUMNS = (
    ("bias", "bias", "bias_error"),
    ("scatter", "slope_scatter", "slope_scatter_error"),
    ("std of error", "error_std", "error_std_error"),
    ("in 68%", "coverage_68", "coverage_68_error"),
    ("in 95%", "coverage_95", "coverage_95_error"),
    ("strangeness", "strangeness_ratio", None),
    ("strange", "strange_part", None),
    ("disagreement", "disagreement", None),
)


def evaluate(
    run: RunDirectory,
    catalogs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CATALOG",
            help="Other data; the first, best the catalog of the training, is what the rest is "
            "compared with.",
        ),
    ],
    where: Where = None,
    shifts: Annotated[
        bool,
        typer.Option(
            "--shifts/--no-shifts",
            help="Judge the first catalog also without AGN, with twice the background, and less "
            "exposed.",
            rich_help_panel=INPUT,
        ),
    ] = True,
    seed: Annotated[
        int,
        typer.Option(min=0, help="Seed of the thinning to less exposure.", rich_help_panel=INPUT),
    ] = 0,
    output: Annotated[
        Path | None,
        to_directory("Where table and figure go. [default: nowhere, the table is printed]"),
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Say how good an estimator is on other data, and whether it finds them strange.

    Clusters that it was trained on are judged by the fold that was not.
    """
    from icmass.catalog import Catalog
    from icmass.estimate.runs import Run
    from icmass.files import check_output

    found = Run.open(run)
    conditions = where or []
    sound = [(path, Catalog.open(path, sound=True)) for path in catalogs]
    opened = _named([(path, catalog.where(*conditions)) for path, catalog in sound])
    if output is not None:
        check_output(output, overwrite=overwrite)
    rows, notes = _evaluate(found, opened, shifts=shifts, seed=seed)
    if conditions:
        notes.insert(0, f"clusters where {' and '.join(conditions)}")
    values = {
        "run": str(run),
        "run_fingerprint": found.fingerprint,
        "catalogs": {name: catalog.fingerprint() for name, catalog in opened.items()},
        "where": conditions,
        "seed": seed,
        "rows": [_values(row) for row in rows],
        "notes": notes,
    }
    if output is not None:
        _write(output, rows, values, overwrite=overwrite)
    if as_json:
        print_json(values)
        return
    _print(values)
    if output is not None:
        typer.echo(f"table and figure: {output}")


def _named(catalogs: "list[tuple[Path, Catalog]]") -> "dict[str, Catalog]":
    """Name catalogs by their directories, and those of one name by their whole paths."""
    short = [path.resolve().name for path, _ in catalogs]
    names = [
        name if short.count(name) == 1 else str(path)
        for name, (path, _) in zip(short, catalogs, strict=True)
    ]
    return {name: catalog for name, (_, catalog) in zip(names, catalogs, strict=True)}


def _evaluate(
    run: "Run", catalogs: "dict[str, Catalog]", *, shifts: bool, seed: int
) -> "tuple[list[ShiftScores], list[str]]":
    from icmass.estimate.shifts import SHIFTS, evaluate_shift, plan_shifts
    from icmass.progress import progress

    steps, notes = plan_shifts(run, catalogs, SHIFTS if shifts else ())
    rows: list[ShiftScores] = []
    with progress("evaluate", sum(len(step.catalog) for step in steps)) as advance:
        for step in steps:
            rows.append(
                evaluate_shift(
                    run,
                    step.catalog,
                    step.shift,
                    name=step.name,
                    reference=rows[0] if rows else None,
                    seed=seed,
                    report=advance,
                )
            )
    return rows, notes


def _values(row: "ShiftScores") -> dict[str, Any]:
    """Return a row in values that JSON can hold; null where a number is not known."""
    numbers: dict[str, float] = {}
    for name, value in row.value.items():
        numbers |= {name: value, f"{name}_error": row.error[name]}
    for name in ("strangeness", "strangeness_ratio", "strange_part", "disagreement"):
        numbers[name] = getattr(row, name)
    return {
        "data": row.name,
        "reference": row.reference,
        "judged_by": row.judged_by,
        "clusters": row.n,
        "known_masses": row.n_known,
        **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
    }


def _texts(row: dict[str, Any]) -> list[str]:
    """Return the cells of a row as they are printed."""
    cells = [row["data"], f"{row['clusters']:,}", row["judged_by"]]
    for _, key, error in _COLUMNS:
        value, spread = row[key], None if error is None else row[error]
        text = "-" if value is None else f"{value:.3f}" if abs(value) < 10 else f"{value:.3g}"
        cells.append(text if spread is None or value is None else f"{text} ± {spread:.3f}")
    return cells


_HEADS = ("data", "clusters", "judged by", *(head for head, *_ in _COLUMNS))


def _print(values: dict[str, Any]) -> None:
    print_wide_table(_HEADS, (_texts(row) for row in values["rows"]), left=(0, 2))
    for line in (*_LEGEND, *values["notes"]):
        typer.echo(line)


_LEGEND = (
    "bias, scatter (residual of ln M_pred over its slope) and std of error in ln M; part of the "
    "truths in the central 68% and 95%",
    "strangeness: median over that of the first row; strange: part beyond the 95th percentile of "
    "the first row; disagreement: median spread of the networks in ln M",
)


def _write(
    output: Path, rows: "Sequence[ShiftScores]", values: dict[str, Any], *, overwrite: bool
) -> None:
    from icmass.estimate.figures import save, shift_figure
    from icmass.files import staged_directory

    drawn = [drawable for drawable in (row.figure_row() for row in rows) if drawable is not None]
    with staged_directory(output, overwrite=overwrite) as stage:
        text = json.dumps(values, indent=1, allow_nan=False) + "\n"
        (stage / "table.json").write_text(text, encoding="utf-8")
        (stage / "table.md").write_text(_markdown(values), encoding="utf-8")
        with (stage / "table.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(values["rows"][0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(values["rows"])
        if any(row.reference for row in drawn):
            figure = shift_figure(drawn)
            for suffix in ("png", "pdf"):
                save(figure, stage / f"shifts.{suffix}")


def _markdown(values: dict[str, Any]) -> str:
    lines = [_HEADS, ("---",) * len(_HEADS), *(_texts(row) for row in values["rows"])]
    table = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*table, "", *(f"- {line}" for line in (*_LEGEND, *values["notes"]))]) + "\n"
