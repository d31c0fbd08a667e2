"""Train an estimator of masses on a small catalog and see what it says of clusters it has not seen.

    python examples/03_train.py

The same is done by: icmass train catalog -o run --network profile --head gaussian --folds 3
--validation 0.2 --epochs 30, and icmass predict run new_clusters.
"""

import numpy as np

from icmass.catalog import Catalog
from icmass.config import SimulateConfig, TrainConfig
from icmass.estimate.prediction import predict
from icmass.estimate.training import train
from icmass.simulate import simulate_catalog


def main() -> None:
    """Make two catalogs, train on one, predict the other."""
    simulate_catalog(SimulateConfig(clusters=200, seed=1), "catalog")
    simulate_catalog(SimulateConfig(clusters=20, seed=2), "new_clusters")

    config = TrainConfig(
        network="profile", head="gaussian", folds=3, validation=0.2, epochs=30, seed=1
    )
    run = train(Catalog.open("catalog"), config, "run")

    new = Catalog.open("new_clusters")
    mean, std = predict(run, new).predictive.mean_std()
    truth = np.log(new.column("m500c_msun"))
    for said, width, true in zip(mean[:5], std[:5], truth[:5], strict=True):
        print(f"log10 M500c/Msun: {said / np.log(10):.2f} +- {width / np.log(10):.2f}, ", end="")
        print(f"true {true / np.log(10):.2f}")
    print(f"standard deviation of (predicted - true) / stated: {np.std((mean - truth) / std):.2f}")


# Worker processes import this script, and must not begin again.
if __name__ == "__main__":
    main()
