"""Questions that cannot be asked are refused in one line, before anything is computed."""

import numpy as np
import pytest

from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.interpret.attribution.attribute import attributions
from icmass.interpret.attribution.methods import Occlusion, make_method
from tests.helpers.subjects import linear_subject

SHAPE = (3, 16, 16)


def random_weight(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return 0.01 * np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"method": "salience"}, r"method 'salience': is not known; did you mean 'saliency'\."),
        ({"space": "photon"}, r"space: must be inputs, .*; did you mean 'photons'\."),
        ({"space": "galaxies"}, r"space: must be inputs or photons for networks that do not look"),
        ({"baseline": "blank"}, r"baseline: must be empty, background; "),
        ({"rows": [14]}, r"rows: must be from 0 to 13; got 14 to 14\."),
        ({"rows": [1, 1]}, r"rows: must name each cluster once"),
        ({"rows": [0.5]}, r"rows: must be whole numbers; got float64\."),
        ({"batch_size": 0}, r"batch_size: must be at least 1; got 0\."),
        ({"method": Occlusion(window=17)}, r"occlusion: window must be at most 16 pixels; got 17"),
    ],
)
def test_wrong_questions(catalog: Catalog, asked: dict[str, object], message: str) -> None:
    subject = linear_subject(catalog, random_weight())
    with pytest.raises(InputError, match=message):
        attributions(subject, **asked)  # type: ignore[arg-type]


def test_background_must_be_seen_and_kept_apart(catalog: Catalog) -> None:
    blind = linear_subject(catalog, random_weight(), origins=["icm", "agn"])
    with pytest.raises(InputError, match="origins: the networks must see background"):
        attributions(blind, "integrated-gradients", baseline="background")
    cubes = linear_subject(catalog, random_weight(shape=(8, 8, 8)), space="galaxies")
    with pytest.raises(InputError, match="baseline: must be empty for galaxies"):
        attributions(cubes, "occlusion", space="galaxies", baseline="background")
    with pytest.raises(InputError, match="grad-cam: must be asked in the space inputs or photons"):
        attributions(cubes, "grad-cam", space="galaxies")


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("integrated-gradients", {"n_steps": 1}, "n_steps must be a whole number, at least 2"),
        ("smoothgrad", {"n_samples": 0}, "n_samples must be a whole number, at least 1; got 0"),
        ("smoothgrad", {"noise": 0.0}, "smoothgrad: noise must be above 0; got 0"),
        ("smoothgrad", {"seed": -1}, "seed must be a whole number, at least 0; got -1"),
        ("occlusion", {"window": 2.5}, "window must be a whole number, at least 1; got 2.5"),
        ("occlusion", {"stride": 9}, "stride must be at most the window of 8 pixels; got 9"),
        ("occlusion", {"stride": 0}, "stride must be a whole number, at least 1; got 0"),
        ("occlusion", {"windows": 4}, "has no setting 'windows'; did you mean 'window'"),
        ("saliency", {"noise": 1.0}, "has no setting 'noise'; there are none"),
    ],
)
def test_wrong_settings(name: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_method(name, **settings)


def test_units() -> None:
    assert make_method("saliency").unit("photons") == "d ln M / dN"
    assert make_method("integrated-gradients").unit("photons") == "ln M"
    assert make_method("grad-cam").unit("inputs") == "ln M, up to a constant"
