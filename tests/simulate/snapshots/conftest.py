"""A box with one lopsided halo, written once."""

from pathlib import Path

import pytest

from tests.helpers.snapshots import Truth, write_swift
from tests.simulate.snapshots.boxes import halo_rows, lopsided, write_rows


@pytest.fixture(scope="session")
def truth() -> Truth:
    """The halo at z = 0.25, off the middle of its box of 60 physical Mpc."""
    return lopsided()


@pytest.fixture(scope="session")
def box_file(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its snapshot."""
    return str(write_swift(tmp_path_factory.mktemp("box") / "box.hdf5", truth))


@pytest.fixture(scope="session")
def halo_file(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its halo table."""
    folder: Path = tmp_path_factory.mktemp("halos")
    return write_rows(folder / "halos.ecsv", halo_rows([truth], ids=[7]))
