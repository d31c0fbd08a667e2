import json
from dataclasses import dataclass

import numpy as np
import pytest

from icmass.interpret.statistics.number import Number, Result, nan_median, numbers, plain


def test_sigma_has_a_sign_and_needs_an_error():
    assert Number(1.5, 0.25).sigma() == 6.0
    assert Number(1.5, 0.25).sigma(2.0) == -2.0
    assert np.isnan(Number(1.5, 0.0).sigma())
    assert np.isnan(Number(1.5, np.nan).sigma())


def test_errors_are_of_known_samples_alone():
    drawn = np.array([[1.0, np.nan, 1.0], [3.0, 2.0, np.nan], [8.0, 4.0, np.nan]])
    found = numbers([4.0, 3.0, 1.0], drawn)
    assert found[0] == (4.0, pytest.approx(np.std([1, 3, 8], ddof=1)))
    assert found[1] == (3.0, pytest.approx(np.sqrt(2.0)))
    assert found[2].value == 1.0
    assert np.isnan(found[2].error)


def test_results_become_json():
    @dataclass(frozen=True)
    class Inner(Result):
        number: Number

    @dataclass(frozen=True)
    class Outer(Result):
        parts: tuple[Inner, ...]
        table: np.ndarray
        by: dict[str, float]
        name: str | None

    outer = Outer((Inner(Number(1.0, np.nan)),), np.array([1.0, np.inf]), {"a": np.nan}, None)
    text = json.dumps(outer.to_dict(), allow_nan=False)
    assert json.loads(text) == {
        "parts": [{"number": {"value": 1.0, "error": None}}],
        "table": [1.0, None],
        "by": {"a": None},
        "name": None,
    }
    assert plain(np.float32(2.0)) == 2.0
    assert plain(np.int64(3)) == 3


def test_medians_of_what_is_known():
    table = np.array([[3.0, np.nan, 1.0], [1.0, np.nan, np.nan], [2.0, np.nan, 4.0]])
    found = nan_median(table)
    assert found[[0, 2]].tolist() == [2.0, 2.5]
    assert np.isnan(found[1])
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 8):
        values = rng.normal(size=(n, 5))
        assert nan_median(values) == pytest.approx(np.median(values, axis=0))
