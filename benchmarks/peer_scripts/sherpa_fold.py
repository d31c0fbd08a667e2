"""What Sherpa's `fake_pha` makes of a spectrum of plasma through the exchanged response: no noise.

Runs in the environment of the peers, with one argument: the folder of the exchanged files. Reads
`plasma.npz` (photons/s/cm^2 per energy bin, exposure) and writes `sherpa.npz` (counts per channel).
"""

import json
import logging
import sys
from pathlib import Path

import numpy as np


def fold(folder: Path) -> None:
    """Fold the spectrum with Sherpa's own reading of the response."""
    from sherpa.astro.data import DataPHA
    from sherpa.astro.fake import fake_pha
    from sherpa.astro.instrument import Response1D
    from sherpa.astro.io import read_arf, read_rmf
    from sherpa.models.basic import UserModel

    with np.load(folder / "plasma.npz", allow_pickle=False) as plasma:
        photons, exposure_s = plasma["photons"], float(plasma["exposure_s"])
    arf, rmf = read_arf(str(folder / "area.arf")), read_rmf(str(folder / "response.rmf"))
    channel = np.arange(rmf.detchans) + rmf.offset
    data = DataPHA("plasma", channel, np.zeros(len(channel)), exposure=exposure_s)
    data.set_arf(arf)
    data.set_rmf(rmf)
    model = UserModel("plasma")
    model.calc = lambda _parameters, low, *_others, **_options: _of_bins(photons, low)
    fake_pha(data, Response1D(data)(model), method=lambda counts, **_options: counts)
    np.savez(folder / "sherpa.npz", counts=data.counts)


def _of_bins(photons: np.ndarray, low: np.ndarray) -> np.ndarray:
    if len(low) != len(photons):
        raise ValueError(f"photons: must be of the {len(low)} energy bins; got {len(photons)}.")
    return photons


def main() -> None:
    """Fold, and print the version of Sherpa."""
    logging.disable(logging.WARNING)
    import sherpa

    fold(Path(sys.argv[1]))
    print(json.dumps({"versions": {"sherpa": sherpa.__version__}}))


if __name__ == "__main__":
    main()
