"""Responses written as OGIP files: what comes back, and whether real clients accept them."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from icmass.errors import OutputError
from icmass.simulate.instrument import Instrument, Redistribution, Response
from icmass.simulate.instrument.ogip_read import read_arf, read_rmf, require_same_grid
from icmass.simulate.instrument.ogip_write import write_arf, write_rmf

AREA = np.array([100.0, 50.1, 20.3])


def assert_same(got: Redistribution, wanted: Redistribution) -> None:
    for name in ("energy_edges_kev", "channel_edges_kev"):
        np.testing.assert_array_equal(
            getattr(got, name).astype(np.float32), getattr(wanted, name).astype(np.float32)
        )
    assert got.first_channel == wanted.first_channel
    np.testing.assert_array_equal(got.row_start, wanted.row_start)
    filled = np.diff(wanted.row_start) > 0
    np.testing.assert_array_equal(got.row_channel[filled], wanted.row_channel[filled])
    np.testing.assert_array_equal(got.probability, wanted.probability)


def test_lopsided_round_trip_is_exact(tmp_path: Path, lopsided: Redistribution) -> None:
    write_rmf(tmp_path / "a.rmf", lopsided)
    write_arf(tmp_path / "a.arf", Response(lopsided, AREA))
    rmf, arf = read_rmf(tmp_path / "a.rmf"), read_arf(tmp_path / "a.arf")
    assert_same(rmf.redistribution, lopsided)
    np.testing.assert_array_equal(arf.area_cm2, AREA.astype(np.float32))
    require_same_grid(arf, rmf)


@pytest.mark.parametrize("which", ["erosita", "real_erosita"])
def test_erosita_round_trip_is_exact(tmp_path: Path, which: str, request) -> None:
    telescope: Instrument = request.getfixturevalue(which)
    write_rmf(tmp_path / "a.rmf", telescope.redistribution)
    assert_same(read_rmf(tmp_path / "a.rmf").redistribution, telescope.redistribution)


def test_same_bytes_every_time(tmp_path: Path, lopsided: Redistribution) -> None:
    for name in ("a", "b"):
        write_rmf(tmp_path / f"{name}.rmf", lopsided)
        write_arf(tmp_path / f"{name}.arf", Response(lopsided, AREA))
    for kind in ("rmf", "arf"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
        assert b"DATE" not in (tmp_path / f"a.{kind}").read_bytes()


def test_headers_are_ogip(tmp_path: Path, lopsided: Redistribution) -> None:
    write_rmf(tmp_path / "a.rmf", lopsided, telescope="SRG", instrument="ALL")
    write_arf(tmp_path / "a.arf", Response(lopsided, AREA), telescope="SRG", instrument="ALL")
    with fits.open(tmp_path / "a.rmf") as file:
        matrix, bounds = file["MATRIX"], file["EBOUNDS"]
        kinds = [matrix.header[f"HDUCLAS{i}"] for i in (1, 2, 3)]
        assert kinds == ["RESPONSE", "RSP_MATRIX", "REDIST"]
        assert matrix.columns.names.index("F_CHAN") == 3
        assert (matrix.header["TLMIN4"], matrix.header["TLMAX4"]) == (3, 6)
        assert (bounds.header["TLMIN1"], bounds.header["TLMAX1"]) == (3, 6)
        assert (matrix.header["NUMGRP"], matrix.header["NUMELT"]) == (2, 5)
        assert matrix.header["DETCHANS"] == bounds.header["DETCHANS"] == 4
        assert list(bounds.data["CHANNEL"]) == [3, 4, 5, 6]
        assert bounds.header["HDUCLAS2"] == "EBOUNDS"
    with fits.open(tmp_path / "a.arf") as file:
        header = file["SPECRESP"].header
        assert (header["HDUCLASS"], header["HDUCLAS2"]) == ("OGIP", "SPECRESP")
        assert (header["TELESCOP"], header["INSTRUME"]) == ("SRG", "ALL")


def test_overwriting_only_when_asked(tmp_path: Path, lopsided: Redistribution) -> None:
    path = tmp_path / "a.rmf"
    write_rmf(path, lopsided)
    with pytest.raises(OutputError, match=r"a\.rmf: already exists"):
        write_rmf(path, lopsided)
    write_rmf(path, lopsided, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.rmf"]


@pytest.mark.clients
@pytest.mark.filterwarnings("ignore")
def test_sherpa_folds_as_we_do(tmp_path: Path, erosita: Instrument) -> None:
    astro_io = pytest.importorskip("sherpa.astro.io", reason="Sherpa is not installed")
    response = erosita.response("survey")
    write_rmf(tmp_path / "a.rmf", response.redistribution)
    write_arf(tmp_path / "a.arf", response)
    rmf, arf = (
        astro_io.read_rmf(str(tmp_path / "a.rmf")),
        astro_io.read_arf(str(tmp_path / "a.arf")),
    )
    photons = erosita.redistribution.energy_kev**-1.7
    folded = rmf.apply_rmf(arf.apply_arf(photons))
    np.testing.assert_allclose(folded, response.fold(photons), rtol=1e-4, atol=1e-9)
    assert int(rmf.offset) == 1
