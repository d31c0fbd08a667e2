"""One cluster with known answers, in every format that the readers know."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.snapshots import (
    Truth,
    make_truth,
    write_gadget_binary,
    write_gadget_hdf5,
    write_swift,
)

ODD_ORDER = ("POS", "VEL", "ID", "MASS", "U", "AGE", "Z", "SFR", "RHO", "NE", "NH", "HSML")

Writer = Callable[[Path, Truth], Path]


def _binary(**options: Any) -> Writer:
    return lambda path, truth: write_gadget_binary(path / "snap_007", truth, **options)


def _hdf5(flavour: str, **options: Any) -> Writer:
    return lambda path, truth: write_gadget_hdf5(
        path / ("snap_007.hdf5" if options.get("files", 1) == 1 else "snap_007"),
        truth,
        flavour=flavour,
        **options,
    )


FORMATS: dict[str, Writer] = {
    "gadget binary 1": _binary(version=1),
    "gadget binary 2": _binary(version=2),
    "gadget binary 2, odd order": _binary(blocks=ODD_ORDER),
    "gadget binary 2, big-endian double": _binary(endian=">", dtype="f8"),
    "gadget binary 1, three files": _binary(version=1, files=3),
    "gadget binary, masses in header": _binary(dark_mass_in_header=True),
    "gadget4": _hdf5("gadget4"),
    "gadget4, two files": _hdf5("gadget4", files=2),
    "tng": _hdf5("tng"),
    "simba": _hdf5("simba"),
    "eagle": _hdf5("eagle"),
    "swift": lambda path, truth: write_swift(path / "swift.hdf5", truth),
    "swift, physical": lambda path, truth: write_swift(
        path / "swift.hdf5", truth, physical=("Densities", "Coordinates")
    ),
}


@pytest.fixture(scope="session")
def truth() -> Truth:
    """The cluster at z = 0.25 of a code that tracks electrons."""
    return make_truth()
