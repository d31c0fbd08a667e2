"""A producer of tiny clusters, importable by worker processes."""

import os
import time
from dataclasses import dataclass, replace

import numpy as np

from icmass.catalog import CatalogSpec, Failure, ImageGeometry, Ragged, ShardData
from tests.helpers.catalogs import SPEC, shard_data

__all__ = ["TINY_SPEC", "TinyProducer"]

TINY_SPEC = replace(
    SPEC,
    geometry=ImageGeometry(n_y=6, n_x=5, pixel=250.0),
    provenance={"seed": 3, "config": {"exposure_s": 1600.0, "bands": {"soft": [0.5, 2.0]}}},
)


@dataclass(frozen=True)
class TinyProducer:
    """Rows whose values depend on their number alone.

    Attributes
    ----------
    rows : int
    seconds : float
        Time that each row takes.
    failing : tuple of int
        Rows that fail.
    deadly : tuple of int
        Rows that kill the process that makes them.
    seed : int
        In the provenance.
    """

    rows: int
    seconds: float = 0.0
    failing: tuple[int, ...] = ()
    deadly: tuple[int, ...] = ()
    seed: int = 3

    @property
    def spec(self) -> CatalogSpec:
        return replace(TINY_SPEC, provenance={**TINY_SPEC.provenance, "seed": self.seed})

    def __len__(self) -> int:
        return self.rows

    def shard(self, start: int, stop: int) -> ShardData:
        good = []
        for number in range(start, stop):
            time.sleep(self.seconds)
            if number in self.deadly:
                os._exit(9)
            if number not in self.failing:
                good.append(shard_data(self.spec, n=1, first=number, seed=self.seed))
        failures = tuple(
            Failure(0, 0, number, 0, f"row {number} is meant to fail")
            for number in self.failing
            if start <= number < stop
        )
        return join(good or [shard_data(self.spec, n=0)], failures)


def join(parts: list[ShardData], failures: tuple[Failure, ...]) -> ShardData:
    names = parts[0].columns
    return ShardData(
        columns={name: np.concatenate([part.columns[name] for part in parts]) for name in names},
        images=np.concatenate([part.images for part in parts]),
        expectations=np.concatenate([part.expectations for part in parts]),
        exposure_maps=np.concatenate([part.exposure_maps for part in parts]),
        galaxies=Ragged.join(
            [row for part in parts for row in lists(part, "galaxies")], "galaxies"
        ),
        regions=Ragged.join([row for part in parts for row in lists(part, "regions")], "regions"),
        failures=failures,
    )


def lists(part: ShardData, name: str) -> list[np.ndarray]:
    return [getattr(part, name)[row] for row in range(len(part.images))]
