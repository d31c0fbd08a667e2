"""Make a synthetic eROSITA field, see what is found in it, and cut its clusters out.

    python examples/06_survey.py [FRACTION]

The field alone is made by: icmass survey -o survey --preset efeds --fraction 0.05 --cutouts
"""

import sys

import numpy as np
from astropy.table import Table

from icmass.catalog import Catalog
from icmass.config import CutoutsConfig, SurveyConfig
from icmass.simulate.cutouts import cut_out_survey
from icmass.simulate.survey import simulate_survey


def main() -> None:
    """Seven deg^2 as deep as eFEDS: haloes, AGN, background, sources found, pictures."""
    fraction = float(sys.argv[1]) if len(sys.argv) > 1 else 0.05
    config = SurveyConfig.parse({"preset": "efeds", "fraction": fraction, "seed": 1})
    summary = simulate_survey(config, "survey")
    print(f"{summary.values['area_deg2']:.1f} deg^2, {summary.values['events']:,} events")

    # What was found, and what it is in truth.
    sources = Table.read("survey/sources.fits")
    extended = sources[np.asarray(sources["ext_like"]) > 6.0]
    print(f"{len(sources)} sources, {len(extended)} of them extended")

    # Images about the haloes, with all that lies beside, before and behind them.
    cut_out_survey("survey", CutoutsConfig(), "survey/cutouts")
    catalog = Catalog.open("survey/cutouts").where("detected")
    photons = np.median(catalog.column("n_phot"))
    print(f"{len(catalog)} haloes were found; half of their images hold over {photons:.0f} photons")


if __name__ == "__main__":  # for this file is read again by each worker process
    main()
