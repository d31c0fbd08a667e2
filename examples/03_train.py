"""Train an estimator of masses on the catalog of 02_simulate.py, and see what it says of others.

    python examples/02_simulate.py && python examples/03_train.py [EPOCHS]

The same is done by: icmass train catalog -o run --network profile --head gaussian --folds 3
--validation 0.2 --epochs 30, and icmass predict run new_clusters.
"""

import sys

import numpy as np

from icmass.catalog import Catalog
from icmass.config import SimulateConfig, TrainConfig
from icmass.estimate.prediction import predict
from icmass.estimate.training import train
from icmass.simulate import simulate_catalog


def main() -> None:
    """Train on one catalog, make another, predict that."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    config = TrainConfig(
        network="profile", head="gaussian", folds=3, validation=0.2, epochs=epochs, seed=1
    )
    run = train(Catalog.open("catalog"), config, "run")

    simulate_catalog(SimulateConfig(clusters=20, seed=2), "new_clusters")
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
