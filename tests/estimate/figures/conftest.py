"""Scores of invented estimators, right and wrong on purpose."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from icmass.estimate.metrics import Predictive, reference_points, score

Scores = NDArray[np.void]


@pytest.fixture
def make_scores() -> Callable[..., Scores]:
    """Make scores: n clusters, errors of 17%, stated as `said`; `slope` below 1 shrinks."""

    def make(
        n: int = 300, said: float = 0.17, slope: float = 1.0, shift: float = 0.0, seed: int = 3
    ) -> Scores:
        rng = np.random.default_rng(seed)
        truth = 31.5 + 0.4 * rng.gamma(2.0, 1.0, n)
        error = 0.17 * rng.standard_normal(n)
        mean = truth.mean() + slope * (truth - truth.mean()) + shift + error
        reference = reference_points(n, truth.min(), truth.max(), seed=1)
        return score(Predictive.gaussian(mean, np.full(n, said)), truth, reference)

    return make
