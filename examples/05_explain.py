"""See what the estimator of examples/03_train.py looks at.

    python examples/02_simulate.py && python examples/03_train.py && python examples/05_explain.py

The whole report is made by: icmass explain run catalog -o explanation
"""

import numpy as np

from icmass.catalog import Catalog
from icmass.cli.explaining import point_spread, proxy_slopes, subject_of
from icmass.estimate.runs import Run
from icmass.interpret.attribution import attributions
from icmass.interpret.interventions import measure_all, standard_interventions

catalog = Catalog.open("catalog").select(np.arange(40))
subject = subject_of(Run.open("run"), catalog)

# What each pixel adds to ln M of the first cluster, from an empty sky on.
(first,) = attributions(subject, "integrated-gradients", rows=[0])
for channel, values in zip(subject.channels, first.values[0], strict=True):
    print(f"{channel.name}: {values.sum():+.2f} of ln M = {first.prediction[0]:.2f}")

# Clusters are changed and asked again: median changes of ln M by networks and by N_phot,500.
slopes = {"N_phot,500": proxy_slopes(Catalog.open("catalog"))["n_phot_500"]}
changes, _ = standard_interventions(subject, point_spread(catalog))
for effect in measure_all(subject, changes, slopes=slopes):
    proxy = np.median(effect.proxies["N_phot,500"])
    print(f"{effect.words}: {np.median(effect.network):+.3f}, by N_phot,500 {proxy:+.3f}")
