"""OGIP responses as they come: layouts, channel origins, combined files, and faulty ones."""

import gzip
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from icmass.errors import InputError, InputWarning
from icmass.simulate.instrument import Instrument
from icmass.simulate.instrument.ogip_read import read_arf, read_rmf, require_same_grid
from icmass.simulate.instrument.ogip_write import write_arf, write_rmf

# Row 0: three channels from the first; row 1: nothing; row 2: two groups with a gap.
ROWS = (((0, (0.5, 0.25, 0.25)),), (), ((0, (0.1,)), (2, (0.7, 0.2))))
DENSE = np.array([[0.5, 0.25, 0.25, 0], [0, 0, 0, 0], [0.1, 0, 0.7, 0.2]])
SINGLE = (((1, (0.5, 0.25, 0.25)),), ((0, (0.6, 0.4, 0.0)),), ((1, (0.0, 0.7, 0.2)),))
SINGLE_DENSE = np.array([[0, 0.5, 0.25, 0.25], [0.6, 0.4, 0, 0], [0, 0, 0.7, 0.2]])


@pytest.mark.parametrize("layout", ["variable", "fixed"])
@pytest.mark.parametrize(("first", "tlmin"), [(0, 0), (1, 1), (3, 3), (0, None), (1, None)])
def test_layouts_and_channel_origins(ogip, layout: str, first: int, tlmin: int | None) -> None:
    rmf = read_rmf(ogip.rmf(rows=ROWS, layout=layout, first_channel=first, tlmin=tlmin))
    np.testing.assert_allclose(rmf.redistribution.matrix(), DENSE, rtol=1e-6)
    assert rmf.redistribution.first_channel == first
    assert rmf.area_cm2 is None
    np.testing.assert_allclose(rmf.redistribution.channel_edges_kev, [0.4, 0.9, 1.9, 3.9, 5.0])


@pytest.mark.parametrize("layout", ["variable", "fixed", "scalar"])
def test_one_group_per_row(ogip, layout: str) -> None:
    rmf = read_rmf(ogip.rmf(rows=SINGLE, layout=layout))
    np.testing.assert_allclose(rmf.redistribution.matrix(), SINGLE_DENSE, rtol=1e-6)


def test_groups_in_any_order(ogip) -> None:
    rows = (((2, (0.7, 0.2)), (0, (0.1,))), ROWS[0], ())
    matrix = read_rmf(ogip.rmf(rows=rows)).redistribution.matrix()
    np.testing.assert_allclose(matrix, DENSE[[2, 0, 1]], rtol=1e-6)


def test_arf_with_more_columns_and_doubles(ogip) -> None:
    extra = (fits.Column("CORRPSF", "E", array=np.ones(3)),)
    path = ogip.arf(area_format="D", area_unit="cm^2", extra=extra)
    arf = read_arf(path)
    np.testing.assert_allclose(arf.energy_edges_kev, [0.5, 1.0, 2.0, 4.0])
    np.testing.assert_array_equal(arf.area_cm2, [10.0, 30.0, 20.0])
    np.testing.assert_allclose(arf.energy_kev, [0.75, 1.5, 3.0])


def test_gzip_is_read(ogip, tmp_path: Path) -> None:
    packed = tmp_path / "a.arf.gz"
    packed.write_bytes(gzip.compress(ogip.arf().read_bytes()))
    np.testing.assert_array_equal(read_arf(packed).area_cm2, [10.0, 30.0, 20.0])


@pytest.mark.parametrize("kind", ["FULL", ""])
def test_combined_response_gives_its_area_once(ogip, kind: str) -> None:
    rows = (((0, (50.0, 25.0, 25.0)),), (), ((2, (14.0, 4.0)),))
    path = ogip.rmf(rows=rows, kind=kind)
    rmf = read_rmf(path)
    np.testing.assert_allclose(rmf.area_cm2, [100.0, 0.0, 18.0])
    response = Instrument.from_ogip(rmf=path).response("pointed")
    counts = response.fold(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(counts, [50.0, 25.0, 25.0 + 42.0, 12.0], rtol=1e-6)


def test_rows_below_one_are_kept(ogip) -> None:
    response = Instrument.from_ogip(arf=ogip.arf(), rmf=ogip.rmf(rows=SINGLE)).response("pointed")
    counts = response.fold(np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(counts, [0.0, 0.0, 14.0, 4.0], rtol=1e-6)


def test_energies_from_zero_are_lifted_with_a_warning(ogip) -> None:
    with pytest.warns(InputWarning, match=r"starts at 0 keV; taken as 0.001"):
        arf = read_arf(ogip.arf(edges=(0.0, 1.0, 2.0, 4.0)))
    assert arf.energy_edges_kev[0] == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"energy_unit": "eV"}, "ENERG_LO must be in keV; got unit 'eV'"),
        ({"energy_unit": None}, "ENERG_LO must be in keV; got unit ''"),
        ({"area_unit": "m**2"}, r"SPECRESP must be in cm\*\*2; got unit 'm\*\*2'"),
        ({"area": (10.0, -1.0, 3.0)}, "finite area >= 0 per row; got shape .* with 1 bad"),
        ({"area": (10.0, np.nan, 3.0)}, "finite area >= 0 per row"),
        ({"area": (0.0, 0.0, 0.0)}, "SPECRESP must be above 0 somewhere; got 0 everywhere"),
        ({"edges": (4.0, 2.0, 1.0, 0.5)}, "ENERG_LO: must ascend; got 4 followed by 2"),
        ({"edges": (0.5, np.nan, 2.0, 4.0)}, "must be finite; got 1 values"),
        ({"high": (1.0, 1.9, 4.0)}, "contiguous; got a bin that ends at 1.9 keV .* 2 keV .row 1"),
        ({"drop": "SPECRESP"}, "SPECRESP must have a column SPECRESP; got ENERG_LO, ENERG_HI"),
        ({"extension": "AREA"}, "must have exactly one extension SPECRESP; got AREA"),
    ],
)
def test_faulty_arf_is_refused(ogip, changes: dict, message: str) -> None:
    path = ogip.arf(**changes)
    with pytest.raises(InputError, match=message) as caught:
        read_arf(path)
    assert "a.arf" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tlmin": 1}, "got 1 in TLMIN4 of MATRIX and 3 in EBOUNDS"),
        ({"tlmin": 0}, "got 0 in TLMIN4"),
        ({"numbers": [3, 5, 6, 7]}, "CHANNEL must count up by one"),
        ({"rows": (((2, (0.5, 0.3, 0.2)),), (), ())}, "within the 4 channels .* row 0 .* 5 to 7"),
        ({"rows": (((-1, (0.5, 0.3)),), (), ())}, "within the 4 channels .* row 0 .* 2 to 3"),
        ({"rows": (((0, (0.5, np.nan)),), (), ())}, "probabilities must be finite"),
        ({"rows": (((0, (0.9, 0.9)),), (), ())}, "sum to at most 1; got 1.8"),
        ({"rows": ((), (), ())}, "MATRIX must be above 0 somewhere; got 0 everywhere"),
        ({"channels": (5.0, 3.9, 1.9, 0.9, 0.4)}, "E_MIN: must ascend"),
        ({"channel_low": (0.4, 0.9, 2.1, 3.9)}, "E_MIN/E_MAX must be contiguous"),
        ({"energies": (0.5, 2.0, 1.0, 4.0)}, "ENERG_LO: must ascend"),
    ],
)
def test_faulty_rmf_is_refused(ogip, changes: dict, message: str) -> None:
    path = ogip.rmf(**changes)
    with pytest.raises(InputError, match=message) as caught:
        read_rmf(path)
    assert "a.rmf" in str(caught.value)


def test_missing_and_strange_files_are_refused(ogip, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no\.arf: must be an existing FITS file"):
        read_arf(tmp_path / "no.arf")
    text = tmp_path / "text.rmf"
    text.write_text("this is not FITS")
    with pytest.raises(InputError, match=r"text.rmf: must be a whole FITS file; got"):
        read_rmf(text)
    with pytest.raises(InputError, match="must have exactly one extension EBOUNDS; got SPECRESP"):
        read_rmf(ogip.arf())


def test_file_with_two_such_tables_is_refused(ogip) -> None:
    path = ogip.arf()
    with fits.open(path, mode="append") as file:
        file.append(file["SPECRESP"].copy())
    with pytest.raises(InputError, match="exactly one extension SPECRESP; got SPECRESP, SPECRESP"):
        read_arf(path)


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.9])
def test_truncated_files_are_refused(tmp_path: Path, erosita, keep: float) -> None:
    from icmass.simulate.instrument.ogip_write import write_rmf

    path = tmp_path / "cut.rmf"
    write_rmf(path, erosita.redistribution)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(InputError, match=r"cut\.rmf: must be a whole FITS file"):
        read_rmf(path)


@pytest.mark.parametrize("damage", ["cut", "scrambled"])
def test_damaged_gzip_is_refused(ogip, tmp_path: Path, damage: str) -> None:
    data = bytearray(gzip.compress(ogip.arf().read_bytes()))
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2 :: 3] = bytes(len(data[len(data) // 2 :: 3]))
    packed = tmp_path / "a.arf.gz"
    packed.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.arf\.gz: must (be a whole|have exactly one)"):
        read_arf(packed)


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_are_one_refusal_or_none(ogip, seed: int) -> None:
    """Damaged headers end in any exception of astropy, and in warnings of several lines."""
    rng = np.random.default_rng(seed)
    path, read = ((ogip.arf(), read_arf), (ogip.rmf(), read_rmf))[seed % 2]
    data = np.frombuffer(path.read_bytes(), np.uint8).copy()
    data[rng.integers(2880, data.size, 20)] ^= 0xFF
    path.write_bytes(data.tobytes())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = _refusal(read, path)
    assert said is None or (path.name in said and "\n" not in said)


def _refusal(read: Callable[[Path], object], path: Path) -> str | None:
    try:
        read(path)
    except InputError as error:
        return str(error)
    return None


def test_files_of_different_grids_are_both_named(ogip) -> None:
    arf, rmf = read_arf(ogip.arf(edges=(0.5, 1.0, 2.0, 4.1))), read_rmf(ogip.rmf())
    with pytest.raises(InputError, match=r"a\.arf and .*a\.rmf: must have the same energy bins"):
        require_same_grid(arf, rmf)
    with pytest.raises(InputError, match=r"got 3 bins over 0\.5-4\.1 keV and 3 over 0.5-4 keV"):
        Instrument.from_ogip(arf=arf.path, rmf=rmf.path)


def test_area_given_twice_or_never_is_refused(ogip) -> None:
    full = ogip.rmf("full.rsp", rows=(((0, (50.0, 25.0)),), (), ()), kind="FULL")
    with pytest.raises(InputError, match=r"full\.rsp.*must come once.*got both. Leave out the ARF"):
        Instrument.from_ogip(arf=ogip.arf(), rmf=full)
    with pytest.raises(InputError, match=r"got neither. Give the ARF"):
        Instrument.from_ogip(rmf=ogip.rmf())


def test_from_ogip_keeps_the_rest_of_the_instrument(ogip) -> None:
    mine = Instrument.from_ogip(arf=ogip.arf(), rmf=ogip.rmf(), mode="survey")
    assert mine.modes == ("survey",)
    assert len(mine.modules) == 7
    assert mine.provenance["arf"] == "a.arf"
    assert mine.provenance["rmf"] == "a.rmf"
    with pytest.raises(InputError, match="mode: must be one of survey for the response"):
        mine.response("pointed")
    with pytest.raises(InputError, match="mode: must be one of pointed, survey"):
        Instrument.from_ogip(arf=ogip.arf("b.arf"), rmf=ogip.rmf("b.rmf"), mode="scan")


@pytest.mark.parametrize(("area_of", "mode"), [("survey", "pointed"), ("pointed", "survey")])
def test_area_of_the_other_mode_is_noticed(tmp_path, erosita, area_of: str, mode: str) -> None:
    write_rmf(tmp_path / "r", erosita.redistribution)
    write_arf(tmp_path / "a", erosita.response(area_of))
    with pytest.warns(InputWarning, match=f"Should the mode be {area_of}"):
        Instrument.from_ogip(arf=tmp_path / "a", rmf=tmp_path / "r", mode=mode)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Instrument.from_ogip(arf=tmp_path / "a", rmf=tmp_path / "r", mode=area_of)
