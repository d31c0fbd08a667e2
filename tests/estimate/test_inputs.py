"""What may be asked of a catalog, what is refused, and which other catalogs fit."""

import json
import math

import pytest

from icmass.catalog import Band, ImageGeometry
from icmass.config import TrainConfig
from icmass.errors import InputError
from icmass.estimate.galaxy_cube import CubeGeometry
from icmass.estimate.inputs import Inputs
from tests.helpers.masses import mass_spec, quick

SPEC = mass_spec()
WANTED = ["bands", "soft+hard", "all", "redshift", "exposure_s", "redshift", "galaxies"]


def test_channels_scalars_and_galaxies() -> None:
    inputs = Inputs.resolve(WANTED, SPEC, cube_cells=8)
    names = ["soft", "medium", "hard", "soft+hard", "soft+medium+hard"]
    assert [channel.name for channel in inputs.channels] == names
    assert inputs.channels[3].bands == (("soft", 0.5, 1.2), ("hard", 2.0, 7.0))
    assert inputs.band_names == ("soft", "medium", "hard")
    assert inputs.scalars == ("redshift", "exposure_s")
    assert (inputs.n_y, inputs.n_x, inputs.pixel, inputs.unit) == (16, 16, 200.0, "kpc")
    assert inputs.origins is None
    assert inputs.cube is not None
    assert inputs.cube.n == 8


def test_the_cube_is_as_wide_as_the_images() -> None:
    assert Inputs.resolve(["all", "galaxies"], SPEC).cube.half_width_kpc == 1600.0
    study = mass_spec(geometry=ImageGeometry())
    assert Inputs.resolve(["all", "galaxies"], study).cube == CubeGeometry()
    arcsec = mass_spec(geometry=ImageGeometry(16, 16, 50.0, "arcsec"))
    assert Inputs.resolve(["all", "galaxies"], arcsec).cube == CubeGeometry()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["m500c_msun", "all"], "inputs: 'm500c_msun' is truth, not a number that an observer"),
        (["all", "lx_0520_erg_s"], "'lx_0520_erg_s' is truth"),
        (["all", "halo_id"], "'halo_id' is identity"),
        (["all", "n_phot_500_soft"], "'n_phot_500_soft' is measured with the true R500c"),
        (["all", "flags"], "'flags' is measured with the true R500c"),
        (["all", "n_background_500"], "which holds the mass; leave it out"),
        (["all", "reshift"], "inputs: 'reshift' is not known; did you mean 'redshift'"),
        (["sfot"], "inputs: 'sfot' is not known; did you mean 'soft'"),
        (["soft+hrad"], "'hrad'.* did you mean 'hard'"),
        (["all", "n_gal"], "inputs: 'n_gal' is not in this catalog"),
        (["soft+soft"], "inputs: must add each band once; got 'soft.soft'"),
        (["redshift"], "inputs: must hold an image channel: .* got redshift"),
        (["soft", "soft"], "inputs: must name each image once; got soft twice. Leave one out"),
        (["bands", "medium"], "inputs: must name each image once; got medium twice"),
        (["soft+hard", "hard+soft"], r"must name each image once; got hard\+soft twice"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(wanted: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Inputs.resolve(wanted, SPEC)


def test_only_what_is_accepted_is_listed() -> None:
    columns = ("n_phot_500", "n_background_500", "detected", "n_gal", "dec_deg")
    spec = mass_spec(optional_columns=columns)
    with pytest.raises(InputError, match=r"'banana' is not known; known: ") as caught:
        Inputs.resolve(["banana"], spec)
    listed = str(caught.value).partition("known: ")[2].removesuffix(".").split(", ")
    assert {"redshift", "n_gal", "dec_deg", "soft", "all", "bands", "galaxies"} <= set(listed)
    for name in listed:
        Inputs.resolve(["all"] if name == "all" else ["soft+hard", name], spec)


def test_galaxies_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match=r"inputs: must have galaxies .* leave galaxies out"):
        Inputs.resolve(["all", "galaxies"], mass_spec(galaxies=False))


@pytest.mark.parametrize(
    ("origins", "message"),
    [
        (["icm", "agnn"], "origin.*agnn.* did you mean 'agn'"),
        (["icm", "agn", "icm"], "origins: must name each origin once; got icm, agn, icm"),
    ],
)
def test_origins_that_are_not_there_are_refused(origins: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Inputs.resolve(["all"], SPEC, origins=origins)


def test_pixels_that_add_up() -> None:
    inputs = Inputs.resolve(["all"], SPEC, pixels=4)
    assert (inputs.n_y, inputs.n_x, inputs.pixel) == (4, 4, 800.0)
    assert inputs.rebinning(SPEC) == 4
    flat = mass_spec(geometry=ImageGeometry(12, 10, 250.0))
    inputs = Inputs.resolve(["all"], flat, pixels=5)
    assert (inputs.n_y, inputs.n_x, inputs.pixel) == (6, 5, 500.0)


@pytest.mark.parametrize("pixels", [5, 12, 32])
def test_pixels_that_do_not_divide_are_refused(pixels: int) -> None:
    message = f"pixels: must divide the 16 x 16 pixels of the catalog; got {pixels}"
    with pytest.raises(InputError, match=message):
        Inputs.resolve(["all"], SPEC, pixels=pixels)


def test_a_side_that_does_not_divide_is_refused() -> None:
    flat = mass_spec(geometry=ImageGeometry(15, 10, 250.0))
    with pytest.raises(InputError, match="must divide the 15 x 10 pixels"):
        Inputs.resolve(["all"], flat, pixels=5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"bands": (Band("soft", 0.4, 1.2), Band("medium", 1.2, 2.0), Band("hard", 2.0, 7.0))},
            r"other: must have the band soft 0.5-1.2 keV of the estimator; got soft 0.4-1.2, medi",
        ),
        ({"bands": (Band("hard", 2.0, 7.0),)}, "must have the band soft .* got hard 2-7. Simulate"),
        (
            {"geometry": ImageGeometry(16, 16, 210.0)},
            "other: must have images of 16 x 16 pixels of 200 kpc, .* got 16 x 16 of 210 kpc",
        ),
        ({"geometry": ImageGeometry(8, 8, 400.0)}, "must have images .* got 8 x 8 of 400 kpc"),
        ({"geometry": ImageGeometry(16, 32, 100.0)}, "must have images .* got 16 x 32 of 100 kpc"),
        ({"geometry": ImageGeometry(16, 16, 200.0, "arcsec")}, "of 200 kpc.* got .* of 200 arcsec"),
        ({"origins": ("all",)}, "origin.*'icm'"),
        ({"galaxies": False}, "other: must have galaxies for this estimator"),
        ({"optional_columns": ()}, "inputs: 'dec_deg' is not in this catalog"),
    ],
)
def test_a_catalog_of_something_else_is_refused(changes: dict, message: str) -> None:
    inputs = Inputs.resolve(["bands", "dec_deg", "galaxies"], SPEC, origins=["icm", "agn"])
    inputs.require(SPEC, "same")
    with pytest.raises(InputError, match=message):
        inputs.require(mass_spec(**changes), "other")


def test_finer_pixels_and_more_bands_are_accepted() -> None:
    inputs = Inputs.resolve(["soft", "redshift"], SPEC)
    finer = ImageGeometry(48, 48, 200.0 / 3.0)
    bands = (Band("broad", 0.2, 2.3), *SPEC.bands)
    other = mass_spec(geometry=finer, bands=bands, galaxies=False)
    inputs.require(other, "other")
    assert inputs.rebinning(other) == 3


@pytest.mark.parametrize("highest", [7.0, math.inf])
def test_round_trip(highest: float) -> None:
    spec = mass_spec(bands=(Band("soft", 0.5, 1.2), Band("hard", 2.0, highest)))
    for origins in (None, ["icm"]):
        for wanted in (["bands", "all", "redshift"], ["all", "galaxies"]):
            inputs = Inputs.resolve(wanted, spec, origins=origins, pixels=8)
            text = json.dumps(inputs.to_dict(), allow_nan=False)
            assert Inputs.from_dict(json.loads(text)) == inputs


def test_configuration_as_text_and_as_lists() -> None:
    config = quick(inputs="soft+hard, redshift", exposure_range_s="400,1600", origins="icm,agn")
    assert config.inputs == ["soft+hard", "redshift"]
    assert config.exposure_range_s == (400.0, 1600.0)
    assert config.origins == ["icm", "agn"]
    assert TrainConfig.parse(json.loads(json.dumps(config.model_dump(mode="json")))) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"exposure_range_s": [1600, 400]}, "exposure_range_s: must be a range LO,HI with 0 < LO"),
        ({"exposure_range_s": "400"}, "exposure_range_s: must be a range LO,HI; got '400'"),
        ({"redraw": True, "equal_weight": True}, "redraw: cannot go with equal_weight"),
        ({"folds": 1}, "folds: must be greater than or equal to 2; got 1"),
        ({"validation": 1.0}, "validation: must be less than 1; got 1.0"),
        ({"recalibration": "platt"}, "recalibration: must be 'temperature', 'conformal' or 'none'"),
        ({"learning_rate": 0}, "learning_rate: must be greater than 0; got 0"),
        ({"epoch": 3}, "epoch: unknown key; did you mean 'epochs'"),
        ({"inputs": []}, "inputs: "),
        ({"pixels": 10**6}, "pixels: must be less than or equal to 16384; got 1000000"),
        ({"cube_cells": 100_000}, "cube_cells: must be less than or equal to 128; got 100000"),
        ({"folds": 10**8}, "folds: must be less than or equal to 10000; got 100000000"),
        ({"members": 10**8}, "members: must be less than or equal to 1000; got 100000000"),
        ({"epochs": 10**9}, "epochs: must be less than or equal to 100000; got 1000000000"),
        ({"patience": 10**9}, "patience: must be less than or equal to 100000"),
        ({"batch_size": 10**9}, "batch_size: must be less than or equal to 100000"),
        ({"shift_pixels": 10**9}, "shift_pixels: must be less than or equal to 16384"),
        ({"devices": 0}, "devices: must be at least 1, or auto; got 0. Lightning's devices"),
        ({"devices": "0"}, "devices: must be at least 1, or auto; got '0'"),
        ({"devices": "-2"}, "devices: must be at least 1, or auto; got '-2'"),
        ({"devices": 10**6}, "devices: must be at most 10,000, or auto; got 1000000"),
    ],
)
def test_configurations_that_cannot_be(values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrainConfig.parse(values)
