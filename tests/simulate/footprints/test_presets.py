"""Surveys by name, and footprints in words."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from icmass.errors import InputError
from icmass.simulate.footprints import (
    FORMS,
    PRESETS,
    cone,
    latitude,
    parse_footprint,
    preset,
    rectangle,
    whole_sky,
)
from icmass.simulate.skymaps import separation_deg
from icmass.simulate.skymaps.sky_map import SkyMap


def test_efeds_has_its_published_area_and_place():
    survey = preset("efeds")
    assert survey.exposure == "flat:2200"
    assert survey.footprint.area_deg2 == pytest.approx(140.0, rel=0.01)
    assert float(separation_deg(*survey.footprint.centre(), 136.0, 1.5)) < 0.5
    assert survey.footprint.contains([129.1, 144.2, 140.1, 134.0], [1.0, 1.7, -2.0, 5.0]).all()
    assert not survey.footprint.contains([150.1], [2.2]).any()


def test_the_german_half_is_half_the_sky_west_of_the_galactic_centre():
    survey = preset("eRASS1-DE ")
    assert survey.exposure == "scan:1"
    assert PRESETS["erass5"].exposure == "scan:5"
    assert PRESETS["erass5"].footprint is PRESETS["erass1-de"].footprint
    assert survey.footprint.area_deg2 == pytest.approx(whole_sky().area_deg2 / 2.0, rel=1e-4)
    longitude = [181.0, 270.0, 359.0, 1.0, 90.0, 179.0]
    places = SkyCoord(longitude, [30.0, -60.0, 5.0] * 2, unit="deg", frame="galactic").icrs
    inside = survey.footprint.contains(places.ra.deg, places.dec.deg)
    assert inside.tolist() == [True] * 3 + [False] * 3


def test_unknown_presets():
    with pytest.raises(
        InputError, match="preset: must be one of efeds, erass1-de, erass5; got 'x'"
    ):
        preset("x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", whole_sky()),
        ("cone:10, -5, 3", cone(10.0, -5.0, 3.0)),
        ("box:350,10,-5,5", rectangle(350.0, 10.0, -5.0, 5.0)),
        ("| b |> 35", latitude(35.0)),
        ("EFEDS", preset("efeds").footprint),
    ],
)
def test_words_for_footprints(text, expected):
    found = parse_footprint(text)
    assert found.fingerprint() == expected.fingerprint()
    assert found.name == text


def test_words_joined():
    found = parse_footprint("efeds & cone:136,1,3 & |b|>28")
    expected = preset("efeds").footprint & cone(136.0, 1.0, 3.0) & latitude(28.0)
    assert found.fingerprint() == expected.fingerprint()
    assert 0 < len(found) < len(cone(136.0, 1.0, 3.0))
    assert found.name == "efeds & cone:136,1,3 & |b|>28"
    with pytest.raises(InputError, match="regions that overlap"):
        parse_footprint("efeds & cone:10,1,3")


def test_words_for_files(tmp_path):
    field = cone(10.0, 20.0, 2.0)
    field.write(tmp_path / "a & b.fits")
    path = tmp_path / "field.fits"
    field.write(path)
    assert parse_footprint(f"moc:{path}").fingerprint() == field.fingerprint()
    (tmp_path / "list.txt").write_text("# nside=8 ordering=ring frame=icrs\n9\n")
    assert parse_footprint(f"pixels:{tmp_path / 'list.txt'}").area_deg2 == pytest.approx(53.7, 0.01)
    values = np.full(12, np.nan)
    values[2] = 4.0
    SkyMap(values, 1, unit="s", name="EXPOSURE").write(tmp_path / "map.fits")
    whole = parse_footprint(f"map:{tmp_path / 'map.fits'}")
    assert whole.area_deg2 == pytest.approx(whole_sky().area_deg2 / 12, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "efeds2",
        "cone",
        "cone:1,2",
        "cone:1,2,3,4",
        "cone:a,b,c",
        "box:1,2,3",
        "|b|>",
        "|b|<20",
        "|b|>x",
        "moc:",
        "circle:1,2,3",
        "efeds & ",
        "efeds & nowhere",
    ],
)
def test_other_words_are_answered_with_the_forms(text):
    with pytest.raises(InputError, match=r"footprint: must be one of efeds, .*; got '") as error:
        parse_footprint(text)
    for form in FORMS:
        assert form in str(error.value)
    assert "\n" not in str(error.value)


def test_every_preset_says_what_it_is():
    for name, recipe in PRESETS.items():
        assert recipe.about, name
        assert recipe.exposure.split(":")[0] in {"flat", "scan"}
