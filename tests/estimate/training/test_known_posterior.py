"""Stated probabilities against a posterior that is known: counts that are Poisson of ln M.

ln M is normal, and of a cluster nothing is seen but N photons, Poisson of exp(A + B (ln M - MEAN)).
So p(ln M | N) is the product of both, on a grid. In each of two folds 2,700 clusters train, 300
put right, and 3,000 are tested. What a dozen parameters learn of 2,700 is off by sqrt(12 / 2700) =
7% of a standard deviation in the mean, and half of it in the width.
"""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy.special import gammaln, ndtr
from torch import Tensor, nn

from icmass.catalog import Band, Catalog, CatalogSpec, ImageGeometry, ShardData
from icmass.config import TrainConfig
from icmass.estimate.metrics import Predictive
from icmass.estimate.networks import NETWORKS
from icmass.estimate.networks.base import Defaults, InputShape, Network, register
from icmass.estimate.prediction import predict
from icmass.estimate.training import train
from tests.helpers.stats import Z_MAX

N = 6000
MEAN, STD, A, B = 33.0, 0.5, math.log(25.0), 1.2
_WIDTH_ERROR = 0.035  # relative; that of 2 x 300 validation clusters is 0.029
_SLOPES = {0.6827: 0.484, 0.9545: 0.216}  # of coverage on ln of the width: 2 z phi(z)


@pytest.fixture(scope="module")
def counted() -> Iterator[None]:
    """Register a network that sees the number of photons and nothing else."""

    @register
    class Counted(Network):
        name = "counted"
        defaults = Defaults(("all",))
        turns_matter = False

        def __init__(self, shape: InputShape) -> None:
            super().__init__(shape)
            self.layers = nn.Sequential(nn.Linear(1, 32), nn.GELU(), nn.Linear(32, 16), nn.GELU())
            self.width = 16

        def prepare(self, counts: Tensor) -> Tensor:
            return torch.log1p(counts.sum(dim=(2, 3), keepdim=True))

        def forward(self, images: Tensor, scalars: Tensor, cube: Tensor) -> Tensor:
            return self.layers(images[:, :, 0, 0])

    yield
    del NETWORKS["counted"]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory) -> Catalog:
    rng = np.random.default_rng(3)
    ln_mass = rng.normal(MEAN, STD, N)
    spec = CatalogSpec(
        bands=(Band("broad", 0.2, 2.3),), geometry=ImageGeometry(2, 2, 500.0), origins=("all",)
    )
    expected = np.exp(A + B * (ln_mass - MEAN)) / 4.0
    images = rng.poisson(np.broadcast_to(expected[:, None, None, None, None], (N, 1, 1, 2, 2)))
    photons = images.sum(axis=(1, 2, 3, 4))
    values = {column.name: np.zeros(N, column.dtype) for column in spec.columns}
    values |= {
        "halo_id": np.arange(N),
        "redshift": np.full(N, 0.2),
        "exposure_s": np.full(N, 1600.0),
        "m500c_msun": np.exp(ln_mass),
        "r500c_kpc": np.full(N, 900.0),
        "n_phot": photons,
        "n_phot_broad": photons,
    }
    made = Catalog.create(tmp_path_factory.mktemp("counted") / "catalog", spec)
    made.append(ShardData(columns=values, images=images.astype(np.uint16)))
    return made


@pytest.fixture(scope="module")
def exact(catalog) -> tuple[np.ndarray, Predictive]:
    """Return the truth and its known posterior, as 25 quantiles each."""
    grid = np.linspace(MEAN - 6 * STD, MEAN + 6 * STD, 4001)
    rate = A + B * (grid - MEAN)
    score = np.linspace(-3.0, 3.0, 25)
    photons = catalog.column("n_phot")
    value = np.empty((N, 25))
    for n in np.unique(photons):
        ln_p = -0.5 * ((grid - MEAN) / STD) ** 2 + n * rate - np.exp(rate) - gammaln(n + 1)
        p = np.exp(ln_p - ln_p.max())
        below = np.cumsum(p) / p.sum()
        inside = (below > 1e-9) & (below < 1 - 1e-9)
        value[photons == n] = np.interp(ndtr(score), below[inside], grid[inside])
    return np.log(catalog.column("m500c_msun")), Predictive(score, value)


def excess(found: Predictive, exact: Predictive, truth: np.ndarray) -> float:
    """Return how much worse than the posterior in -ln p per cluster."""
    return float(np.mean(exact.log_density(truth) - found.log_density(truth)))


def coverage(found: Predictive, truth: np.ndarray, probability: float) -> float:
    return float(np.mean(np.abs(2.0 * found.cdf(truth) - 1.0) < probability))


def wrong(found: Predictive, factor: float = 1.0, shift: float = 0.0) -> Predictive:
    middle = found.value[:, 12:13]
    width = found.mean_std()[1][:, None]
    return Predictive(found.score, middle + factor * (found.value - middle) + shift * width)


@pytest.mark.parametrize(
    ("head", "recalibration"), [("gaussian", "temperature"), ("flow", "conformal")]
)
def test_what_is_stated_is_the_posterior(
    tmp_path, counted, catalog, exact, head: str, recalibration: str
) -> None:
    config = TrainConfig(
        network="counted",
        inputs=["all"],
        head=head,
        recalibration=recalibration,
        folds=2,
        validation=0.1,
        epochs=12,
        batch_size=128,
        learning_rate=1e-2,
    )
    found = predict(train(catalog, config, tmp_path / "run", workers=1), catalog).predictive
    truth, posterior = exact
    mean, std = found.mean_std()
    true_mean, true_std = posterior.mean_std()
    assert np.sqrt(np.mean(((mean - true_mean) / true_std) ** 2)) < 0.15
    assert abs(np.mean(np.log(std / true_std))) < Z_MAX * _WIDTH_ERROR
    # Widths follow the clusters: few photons, wide; and are not one for all.
    few = np.argsort(catalog.column("n_phot"))
    assert std[few[:600]].mean() / std[few[-600:]].mean() == pytest.approx(
        true_std[few[:600]].mean() / true_std[few[-600:]].mean(), rel=0.15
    )
    limit = 0.02
    assert excess(found, posterior, truth) < limit
    for probability, slope in _SLOPES.items():
        error = math.hypot(math.sqrt(probability * (1 - probability) / N), slope * _WIDTH_ERROR)
        assert abs(coverage(found, truth, probability) - probability) < Z_MAX * error
        assert abs(coverage(posterior, truth, probability) - probability) < Z_MAX * math.sqrt(
            probability * (1 - probability) / N
        )
    for bad in (wrong(found, 1.5), wrong(found, 0.67), wrong(found, shift=0.5)):
        assert excess(bad, posterior, truth) > limit
    wide = coverage(wrong(found, 1.5), truth, 0.6827) - 0.6827
    assert wide > Z_MAX * math.hypot(math.sqrt(0.6827 * 0.3173 / N), 0.484 * _WIDTH_ERROR)
