"""`icmass info`: what a catalog holds, whether it is sound, and a picture of it."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.options import OUTPUT, AsJson
from icmass.cli.printing import print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from icmass.catalog import Catalog

__all__ = ["info"]

_CHECKS = "Checks"


def info(
    catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="Directory of the catalog.")],
    validate: Annotated[
        bool,
        typer.Option(
            "--validate",
            help="Read everything and check it: checksums, limits, keys, images, predictions.",
            rich_help_panel=_CHECKS,
        ),
    ] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Drop shards (files of the catalog) that are damaged, missing or foreign.",
            rich_help_panel=_CHECKS,
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw it: masses, proxies and images (png, pdf, svg).",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace FILE.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what a catalog holds, check it, or draw it."""
    from icmass.catalog import Catalog

    dropped = Catalog.repair(catalog) if repair else []
    for problem in dropped:
        typer.echo(f"{catalog}: {problem}: dropped", err=True)
    opened = Catalog.open(catalog)
    if validate:
        opened.validate()
    values = _summary(opened)
    if validate:
        from icmass.catalog.repairs import unlisted

        values["unlisted"] = unlisted(opened.path)
    if repair:
        values["dropped"] = [problem.shard for problem in dropped]
    if as_json:
        print_json(values)
    else:
        _print(values, validated=validate)
    if plot is not None:
        from icmass.catalog.figure import save_figure

        save_figure(opened, plot, overwrite=overwrite)
        if not as_json:
            typer.echo(f"picture: {plot}")


def _summary(catalog: "Catalog") -> dict[str, Any]:
    """Collect what is printed, in values that JSON can hold."""
    import numpy as np

    from icmass.catalog import KEY, SCHEMA_VERSION, Flag

    rows, spec = catalog.rows(), catalog.spec
    flags = {flag.name: int(np.count_nonzero(rows["flags"] & flag)) for flag in Flag}
    provenance = dict(spec.provenance)
    return {
        "catalog": str(catalog.path),
        "schema_version": SCHEMA_VERSION,
        "clusters": len(catalog),
        "haloes": len(np.unique(rows[list(KEY[:3])])),
        "failed": len(catalog.failures()),
        "shards": len(catalog.shards),
        "bytes": sum(record.size for record in catalog.shards),
        "fingerprint": catalog.fingerprint(),
        **{
            name: value
            for name, value in spec.to_dict().items()
            if name not in ("columns", "provenance")
        },
        "flags": {name: count for name, count in flags.items() if count},
        "predictions": catalog.prediction_names(),
        "seed": provenance.get("seed"),
        "versions": provenance.get("versions"),
        "columns": [
            {"name": c.name, "unit": c.unit, "kind": c.kind, **_range(rows[c.name])}
            for c in catalog.columns
        ],
    }


def _range(values: "NDArray[np.generic]") -> dict[str, Any]:
    """Return how many values are known, and their minimum, median and maximum."""
    import numpy as np

    numbers = np.asarray(values, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return {"known": 0, "minimum": None, "median": None, "maximum": None}
    low, middle, high = np.quantile(numbers, [0.0, 0.5, 1.0]).tolist()
    return {"known": len(numbers), "minimum": low, "median": middle, "maximum": high}


def _print(values: dict[str, Any], *, validated: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    for line in _lines(values):
        typer.echo(line)
    # Names hold the units.
    table = Table("column", "kind", "known", *_ENDS, box=box.SIMPLE_HEAD, pad_edge=False)
    table.columns[0].overflow = "fold"  # where the terminal is narrow, long names have two lines
    table.columns[1].no_wrap = True
    for column in table.columns[2:]:
        column.justify, column.no_wrap = "right", True
    for one in values["columns"]:
        ends = ("-" if one[end] is None else f"{one[end]:.4g}" for end in _ENDS)
        table.add_row(one["name"], one["kind"], f"{one['known']:,}", *ends)
    Console(markup=False).print(table)
    if validated:
        for name in values["unlisted"]:
            typer.echo(f"not of the catalog: shards/{name} (its manifest does not list it)")
        typer.echo("checksums, limits, keys, images and predictions: sound")


_ENDS = ("minimum", "median", "maximum")


def _lines(values: dict[str, Any]) -> list[str]:
    """Say in words what is not a table."""
    geometry = values["geometry"]
    bands = ", ".join(
        f"{b['name']} {b['lo_kev']:g}-{'' if b['hi_kev'] is None else format(b['hi_kev'], 'g')} keV"
        for b in values["bands"]
    )
    extras = [
        name.replace("_", " ")
        for name in ("expectations", "exposure_maps", "galaxies", "regions")
        if values[name]
    ]
    flags = (f"{name} {count:,}" for name, count in values["flags"].items())
    lines = {
        "catalog": f"{values['catalog']} (schema version {values['schema_version']})",
        "clusters": f"{values['clusters']:,} of {values['haloes']:,} haloes"
        + (f", {values['failed']:,} failed" if values["failed"] else ""),
        "on disk": f"{values['shards']:,} shards, {values['bytes'] / 1e6:,.1f} MB",
        "images": f"{geometry['n_y']} x {geometry['n_x']} pixels of {geometry['pixel']:.4g} "
        f"{geometry['unit']}; {bands}",
        "origins": ", ".join(values["origins"]),
        "also": ", ".join(extras) or "nothing",
        "flags": ", ".join(flags) or "none",
        "predictions": ", ".join(values["predictions"]) or "none",
        "seed": "unknown" if values["seed"] is None else str(values["seed"]),
        "fingerprint": values["fingerprint"],
    }
    return [f"{name:12}{text}" for name, text in lines.items()]
