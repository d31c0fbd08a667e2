"""Coverage maps and lists of pixels in files, and damaged ones."""

import json

import healpy
import numpy as np
import pytest
from astropy.table import Table
from mocpy import MOC

from icmass.errors import InputError
from icmass.simulate.footprints import Footprint, cone, from_moc, from_pixels
from icmass.simulate.skymaps.frames import to_icrs


@pytest.fixture(scope="module")
def field() -> Footprint:
    return cone(200.0, -12.0, 1.0)


@pytest.mark.parametrize(("kind", "suffix"), [("fits", "fits"), ("json", "json"), ("ascii", "txt")])
def test_moc_files_of_three_kinds(field, tmp_path, kind, suffix):
    path = tmp_path / f"field.{suffix}"
    field.moc().save(path, format=kind)
    back = from_moc(path)
    assert back.fingerprint() == field.fingerprint()
    assert back.name == f"moc:field.{suffix}"


@pytest.mark.parametrize("order", [3, 9, 12])
def test_moc_of_any_order_holds_the_centres_it_covers(tmp_path, order):
    from astropy import units as u

    moc = MOC.from_cone(lon=30.0 * u.deg, lat=20.0 * u.deg, radius=5.0 * u.deg, max_depth=order)
    moc.save(tmp_path / "cone.fits", format="fits")
    back = from_moc(tmp_path / "cone.fits")
    exact = moc.sky_fraction * 4.0 * np.pi * np.degrees(1.0) ** 2
    assert back.area_deg2 == pytest.approx(exact, rel=1e-12 if order <= 9 else 2e-3)
    if order == 9:
        assert from_moc(tmp_path / "cone.fits").moc() == moc


def test_older_fits_moc_of_unique_numbers(tmp_path, field):
    table = Table({"UNIQ": (4 * 4**9 + field.pixel).astype(">i8")})
    table.meta.update(PIXTYPE="HEALPIX", ORDERING="NUNIQ", COORDSYS="C", MOCORDER=9)
    table.write(tmp_path / "old.fits")
    assert from_moc(tmp_path / "old.fits").fingerprint() == field.fingerprint()


def damaged(kind: str, whole: bytes) -> bytes:
    if kind == "cut":
        return whole[: len(whole) - 2880]
    if kind == "header":
        return whole[:3000]
    if kind == "numbers":
        start = 2 * 2880
        return whole[:start] + b"\xf3" * 64 + whole[start + 64 :]
    return b"SIMPLE  = nonsense" + bytes(range(256)) * 20


@pytest.mark.parametrize("kind", ["cut", "header", "numbers", "nonsense"])
def test_damaged_fits_mocs_are_refused(field, tmp_path, kind):
    field.write(tmp_path / "whole.fits")
    path = tmp_path / "bad.fits"
    path.write_bytes(damaged(kind, (tmp_path / "whole.fits").read_bytes()))
    with pytest.raises(
        InputError, match=r"bad.fits: must be a MOC of the sky .* again\.$"
    ) as error:
        from_moc(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "",
        "9/99999999999",
        "40/1",
        "[1, 2]",
        '{"9": [1, 2',
        '{"9": [1, "a"]}',
        '{"9": [3145728]}',
        '{"x": [1]}',
        '{"33": [1]}',
        '{"9": 4}',
    ],
)
def test_damaged_text_mocs_are_refused(tmp_path, text):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=r"bad.txt: must be a MOC of the sky") as error:
        from_moc(path)
    assert "\n" not in str(error.value)


def test_other_mocs_are_refused(field, tmp_path):
    with pytest.raises(InputError, match=r"absent.fits: must be a MOC .*No such file"):
        from_moc(tmp_path / "absent.fits")
    Table({"a": [1, 2]}).write(tmp_path / "table.fits")
    with pytest.raises(InputError, match=r"table.fits: must be a MOC"):
        from_moc(tmp_path / "table.fits")
    field.write(tmp_path / "field.fits")
    galactic = (tmp_path / "field.fits").read_bytes().replace(b"COORDSYS= 'C'", b"COORDSYS= 'G'")
    (tmp_path / "galactic.fits").write_bytes(galactic)
    with pytest.raises(InputError, match=r"COORDSYS G, where the standard has C"):
        from_moc(tmp_path / "galactic.fits")
    (tmp_path / "none.json").write_text(json.dumps({"9": []}))
    with pytest.raises(InputError, match="must hold the centre of a sky pixel"):
        from_moc(tmp_path / "none.json")


def write_list(path, pixel, **keywords) -> None:
    table = Table({"PIXEL": np.asarray(pixel)})
    table.meta.update(keywords)
    table.write(path, overwrite=True)


def test_pixels_of_a_fits_table_say_what_they_are(tmp_path):
    path = tmp_path / "list.fits"
    write_list(path, [40, 41], NSIDE=4, ORDERING="RING", COORDSYS="G")
    field = from_pixels(path)
    assert field.name == "pixels:list.fits"
    middles = healpy.pix2ang(4, [40, 41, 39, 42], lonlat=True)
    ra, dec = to_icrs(*middles, "galactic")
    assert field.contains(ra, dec).tolist() == [True, True, False, False]


def test_pixels_of_a_text_file(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("# nside=4 ordering=nested frame=icrs\n40\n41\n# two so far\n99\n")
    assert from_pixels(path).fingerprint() == from_pixels([40, 41, 99], 4).fingerprint()
    path.write_text("40 41 99\n")
    given = from_pixels(path, 4, nest=True, frame="icrs")
    assert given.fingerprint() == from_pixels([40, 41, 99], 4).fingerprint()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"ORDERING": "NESTED", "COORDSYS": "C"}, "must say the nside"),
        ({"NSIDE": 4, "COORDSYS": "C"}, "must say the ordering"),
        ({"NSIDE": 4, "ORDERING": "NESTED"}, "must say the frame"),
        ({"NSIDE": 4, "ORDERING": "SPIRAL", "COORDSYS": "C"}, "ORDERING must be one of NESTED"),
        ({"NSIDE": 4, "ORDERING": "RING", "COORDSYS": "X"}, "COORDSYS must be one of C"),
        ({"NSIDE": 5, "ORDERING": "RING", "COORDSYS": "C"}, "nside: must be a power of two"),
        ({"NSIDE": 1, "ORDERING": "RING", "COORDSYS": "C"}, "must lie between 0 and 11 at nside 1"),
    ],
)
def test_lists_that_do_not_say_enough(tmp_path, keywords, message):
    write_list(tmp_path / "list.fits", [40, 41], **keywords)
    with pytest.raises(InputError, match=rf"list.fits: .*{message}"):
        from_pixels(tmp_path / "list.fits")


def test_a_list_is_not_contradicted(tmp_path):
    write_list(tmp_path / "list.fits", [40], NSIDE=4, ORDERING="RING", COORDSYS="C")
    with pytest.raises(InputError, match=r"nside must be that of the file, 4; got 8"):
        from_pixels(tmp_path / "list.fits", 8)


def test_damaged_lists_are_refused(tmp_path):
    write_list(tmp_path / "list.fits", np.arange(2000), NSIDE=64, ORDERING="RING", COORDSYS="C")
    (tmp_path / "cut.fits").write_bytes((tmp_path / "list.fits").read_bytes()[:-2880])
    (tmp_path / "words.txt").write_text("# nside=4\nforty\n")
    Table({"flux": [1.0]}).write(tmp_path / "flux.fits")
    Table({"PIXEL": [1.5]}).write(tmp_path / "half.fits")
    for name, message in (
        ("cut.fits", "must be a list of HEALPix pixels"),
        ("words.txt", "must be a list of HEALPix pixels.*forty"),
        ("absent.txt", "No such file"),
        ("flux.fits", "must have a column of pixels, named PIXEL, IPIX or HPXINDEX; got flux"),
        ("half.fits", "pixels of type"),
    ):
        with pytest.raises(InputError, match=rf"{name}: .*{message}"):
            from_pixels(tmp_path / name, 64, nest=True, frame="icrs")
