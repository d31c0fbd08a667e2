"""Sample measured effective areas at few energies, for the small tables in the package.

Builds `data/erosita_area.csv` from the public calibration files, with their names in its header::

    python -m icmass.simulate.instrument.area_table --onaxis ARF --survey ARF --output TABLE

The same works for any telescope. Energies in keV, areas in cm^2.
"""

import argparse
from pathlib import Path

import numpy as np

from icmass.errors import InputError
from icmass.simulate.instrument.ogip_read import read_arf

__all__ = ["interpolation_nodes", "main", "read_area_table"]

# Share of the largest area below which an error is measured against that share, not the area:
# where a telescope sees next to nothing, nodes are wasted.
_FLOOR = 1e-3


def interpolation_nodes(
    energy_kev: np.ndarray, areas_cm2: np.ndarray, tolerance: float
) -> np.ndarray:
    """Choose the fewest samples that linear interpolation needs, by adding the worst point.

    Parameters
    ----------
    energy_kev : (n,) array
        Ascending energies.
    areas_cm2 : (m, n) array
        Curves that share the samples.
    tolerance : float
        Largest relative error allowed at any of the n energies.

    Returns
    -------
    (k,) int64
        Ascending indices of the samples; the first and last energy are among them.
    """
    floor = _FLOOR * areas_cm2.max(axis=1, keepdims=True)
    nodes = [0, energy_kev.size - 1]
    while True:
        model = np.array([np.interp(energy_kev, energy_kev[nodes], a[nodes]) for a in areas_cm2])
        error = np.max(np.abs(model - areas_cm2) / np.maximum(areas_cm2, floor), axis=0)
        worst = int(np.argmax(error))
        if error[worst] <= tolerance:
            return np.asarray(nodes, dtype=np.int64)
        nodes = sorted([*nodes, worst])


def read_area_table(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read a table of effective areas.

    Parameters
    ----------
    path : Path
        Text file: comment lines from ``#``, a line of column names ``energy_kev,<mode>_cm2,...``,
        then numbers separated by commas.

    Returns
    -------
    energy_kev : (n,) float64
    areas_cm2 : dict
        For each mode, such as "pointed", its (n,) float64 areas.

    Raises
    ------
    InputError
        If the file is missing or is no such table.
    """
    try:
        lines = [x for x in path.read_text("utf-8").splitlines() if x.strip() and x[0] != "#"]
        names = [x.strip() for x in lines[0].split(",")]
        columns = np.array([[float(x) for x in line.split(",")] for line in lines[1:]]).T
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path}: must be a table of effective areas; got: {error}.") from error
    modes = [x.removesuffix("_cm2") for x in names[1:]]
    named = names[0] == "energy_kev" and all(x.endswith("_cm2") for x in names[1:])
    if not named or not modes or len(columns) != len(names):
        raise InputError(
            f"{path}: must have the columns energy_kev and <mode>_cm2; got {', '.join(names)}."
        )
    if not (np.all(np.diff(columns[0]) > 0) and np.all(np.isfinite(columns))):
        raise InputError(f"{path}: must hold finite numbers at ascending energies; got others.")
    return columns[0], dict(zip(modes, columns[1:], strict=True))


def _text(onaxis: Path, survey: Path, tolerance: float) -> str:
    arfs = [read_arf(path) for path in (onaxis, survey)]
    energy = arfs[0].energy_kev
    areas = np.array([arf.area_cm2 for arf in arfs])
    nodes = interpolation_nodes(energy, areas, tolerance)
    lines = [
        "# Effective area, all modules together: samples of two public response files,",
        f"# {onaxis.name} (pointed) and {survey.name} (survey),",
        f"# chosen so that linear interpolation holds both within {tolerance:g}.",
        "# Made by icmass.simulate.instrument.area_table.",
        "energy_kev,pointed_cm2,survey_cm2",
    ]
    lines += [f"{energy[i]:.5f},{areas[0, i]:.5g},{areas[1, i]:.5g}" for i in nodes]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Write the table; `arguments` are those of the command line, as the module's text has them."""
    parser = argparse.ArgumentParser(description="Sample effective areas at few energies.")
    parser.add_argument("--onaxis", type=Path, required=True)
    parser.add_argument("--survey", type=Path, required=True)
    parser.add_argument("--tolerance", type=float, default=0.01)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    given.output.write_text(_text(given.onaxis, given.survey, given.tolerance), "utf-8")


if __name__ == "__main__":
    main()
