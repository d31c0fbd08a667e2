"""`icmass instruments`: the telescopes that come with the package."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from typing import Annotated, Any

import typer

from icmass.cli.options import OUTPUT
from icmass.cli.printing import print_json

__all__ = ["instruments"]


def instruments(
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print numbers as JSON, for programs.", rich_help_panel=OUTPUT),
    ] = False,
) -> None:
    """List the telescopes in the package, with their area, sharpness and field of view."""
    from icmass.simulate.instrument import available

    rows = [_summary(name) for name in available()]
    if as_json:
        print_json(rows)
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE)
    table.add_column("name", no_wrap=True)
    table.add_column("what")
    for title in ("modes", "cm² at 1 keV", "PSF arcsec", "field deg"):
        table.add_column(title, no_wrap=True)
    for row in rows:
        table.add_row(
            row["name"],
            row["label"],
            "\n".join(row["area_1kev_cm2"]),
            "\n".join(f"{x:.0f}" for x in row["area_1kev_cm2"].values()),
            "\n".join(f"{x:.0f}" for x in row["half_energy_width_arcsec"].values()),
            f"{row['fov_diameter_deg']:g}",
        )
    Console().print(table)


def _summary(name: str) -> dict[str, Any]:
    import numpy as np

    from icmass.simulate.instrument import Instrument

    telescope = Instrument.load(name)
    energy_kev = telescope.redistribution.energy_kev
    return {
        "name": name,
        "label": telescope.label,
        "modules": len(telescope.modules),
        "area_1kev_cm2": {
            mode: round(float(np.interp(1.0, energy_kev, telescope.response(mode).area_cm2)), 1)
            for mode in telescope.modes
        },
        "half_energy_width_arcsec": {
            mode: round(telescope.psf(mode).half_energy_width(), 1) for mode in telescope.modes
        },
        "fov_diameter_deg": telescope.fov_diameter_deg,
        "source": telescope.provenance["source"],
    }
