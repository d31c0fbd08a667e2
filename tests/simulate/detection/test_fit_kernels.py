"""The kernels of the fit against slow, obvious twins."""

import numpy as np
import pytest
from scipy.optimize import minimize

from icmass.simulate.detection.filters import Profiles
from icmass.simulate.detection.fit_kernels import add_source, fit_source
from tests.simulate.detection.fields import PIXEL, SHARP

N_Y, N_X = 37, 43
MIDDLE, RADIUS = (20.0, 17.0), 9.0


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    return Profiles.of(SHARP, (0.0, 10.0, 20.0, 40.0, 60.0, 80.0), PIXEL).table[2]


@pytest.fixture(scope="module")
def scene(table) -> dict:
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:N_Y, :N_X]
    exposure = 900.0 + 12.0 * x - 5.0 * y
    known = 2e-4 * exposure
    known[:, :14] = 0.0  # not observed
    truth = known + 0.1 * exposure * share(table, 20.7, 16.2) * (known > 0)
    return {"counts": rng.poisson(truth).astype(np.int32), "known": known, "exposure": exposure}


def share(table: np.ndarray, x: float, y: float) -> np.ndarray:
    rows, columns = np.mgrid[:N_Y, :N_X]
    r = np.hypot(columns - x, rows - y)
    return np.interp(r, 0.125 * np.arange(len(table)), table, right=0.0)


def slow_gain(scene: dict, table: np.ndarray, rate: float, x: float, y: float) -> float:
    """Ln L with the source minus ln L without it, over the pixels of the circle."""
    rows, columns = np.mgrid[:N_Y, :N_X]
    inside = np.hypot(columns - MIDDLE[0], rows - MIDDLE[1]) <= RADIUS
    inside &= scene["known"] > 0
    light = rate * scene["exposure"] * share(table, x, y)
    before, n = scene["known"][inside], scene["counts"][inside]
    after = before + light[inside]
    return float((n * np.log(after) - after).sum() - (n * np.log(before) - before).sum())


def run(scene: dict, table: np.ndarray, start: tuple, steps: int, shift: float = 3.0):
    out = np.zeros(7)
    fit_source(
        scene["counts"],
        scene["known"],
        scene["exposure"],
        table,
        0.125,
        *MIDDLE,
        RADIUS,
        np.array(start),
        shift,
        steps,
        out,
    )
    return out


@pytest.mark.parametrize("place", [(0.05, 20.7, 16.2), (0.2, 19.0, 18.5), (0.01, 24.0, 12.0)])
def test_gain_is_that_of_the_slow_twin(scene, table, place):
    assert run(scene, table, place, 0)[3] == pytest.approx(slow_gain(scene, table, *place), 1e-9)


def test_fit_ends_where_a_general_optimiser_does(scene, table):
    out = run(scene, table, (0.03, 20.0, 17.0), 40)
    best = minimize(
        lambda p: -slow_gain(scene, table, np.exp(p[0]), p[1], p[2]),
        [np.log(0.1), 20.5, 16.5],
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-7},
    )
    assert out[3] == pytest.approx(-best.fun, abs=5e-3)
    assert out[0] == pytest.approx(np.exp(best.x[0]), rel=0.01)
    assert out[1:3] == pytest.approx(best.x[1:], abs=0.03)


def test_errors_are_those_of_the_curvature(scene, table):
    out = run(scene, table, (0.08, 20.5, 16.5), 40)
    expected = scene["known"] + out[0] * scene["exposure"] * share(table, out[1], out[2])
    mean = scene | {"counts": expected}  # the Fisher matrix is the curvature for expected counts
    h = np.array([0.01 * out[0], 0.05, 0.05])

    def gain(d: np.ndarray) -> float:
        return slow_gain(mean, table, *(out[:3] + d * h))

    eye = np.eye(3)
    curvature = np.array(
        [
            [
                -(gain(a + b) - gain(a - b) - gain(b - a) + gain(-a - b)) / (4 * h[i] * h[j])
                for j, b in enumerate(eye)
            ]
            for i, a in enumerate(eye)
        ]
    )
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    assert out[4:] == pytest.approx(errors, rel=0.05)


def test_place_stays_within_its_bounds(scene, table):
    out = run(scene, table, (0.05, 24.0, 12.0), 40, shift=0.4)
    assert np.abs(out[1:3] - [24.0, 12.0]).max() <= 0.4 + 1e-12
    assert np.hypot(*(out[1:3] - [24.0, 12.0])) > 0.3


def test_where_nothing_was_observed_nothing_is_gained(scene, table):
    blind = scene | {"known": np.zeros((N_Y, N_X))}
    out = run(blind, table, (0.05, 20.0, 17.0), 10)
    assert out[3] == 0.0
    assert np.isinf(out[4:]).all()


def test_added_source_is_the_slow_one_and_can_be_taken_away(scene, table):
    model = scene["known"].copy()
    add_source(model, scene["exposure"], table, 0.125, 30.3, 2.4, 0.07, 11.0)
    rows, columns = np.mgrid[:N_Y, :N_X]
    near = np.hypot(columns - 30.3, rows - 2.4) <= 11.0
    light = 0.07 * scene["exposure"] * share(table, 30.3, 2.4) * near
    np.testing.assert_allclose(model, scene["known"] + light, rtol=1e-12)
    add_source(model, scene["exposure"], table, 0.125, 30.3, 2.4, -0.07, 11.0)
    np.testing.assert_allclose(model, scene["known"], atol=1e-12)
