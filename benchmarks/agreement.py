"""Do events agree with the expectation they were drawn from? Chi-square over many seeds.

The gas of the default cluster is observed with every component, once per seed. Total counts,
spectrum, radial profile and image are compared with their expectation; each row gives chi-square
per degree of freedom over all seeds with the deviation of the sum in sigma, and what the same test
says of an expectation 2% too high.

    python benchmarks/agreement.py [--seeds 20] [--json FILE]
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from icmass.simulate import Observation, default_cluster, observe
from icmass.simulate.photons.expectation import expected_counts

# Bins with fewer expected counts are merged or left out: chi-square needs them nearly normal.
LEAST_COUNTS = 25.0
EXPOSURE_S = 20_000.0
PIXEL_ARCSEC = 36.0  # divides the field: no pixel is cut by its edge


def spectrum_pair(observation: Observation) -> tuple[np.ndarray, np.ndarray]:
    """Counts of the gas per channel, drawn and expected."""
    gas = observation.components[0]
    matrix = gas.spectra.redistribution.sparse
    expected = np.zeros(matrix.shape[1])
    share = np.diff(gas.spectra.cdf.astype(np.float64), axis=-1, prepend=0.0)[0]
    rate = gas.spectra.rate[0]
    node = gas.emitters.node.astype(np.float64)
    low = node.astype(np.int64)
    high = np.minimum(low + 1, len(rate) - 1)
    for index, weight in ((low, 1.0 - (node - low)), (high, node - low)):
        for part, amount in ((0, 1.0), (1, gas.emitters.mix.astype(np.float64))):
            norm = np.bincount(index, gas.emitters.norm * weight * amount, minlength=len(rate))
            expected += ((norm * rate[:, part]) @ share[:, part]) @ matrix
    drawn = np.bincount(
        observation.events.select(observation.events.origin == gas.origin).channel,
        minlength=len(expected),
    )
    return drawn, expected * observation.exposure_s


def image_pair(observation: Observation) -> tuple[np.ndarray, np.ndarray]:
    """Counts per pixel of everything, drawn and expected."""
    drawn = observation.image("all", pixel_arcsec=PIXEL_ARCSEC).data
    expected = observation.expected_image("all", pixel_arcsec=PIXEL_ARCSEC).data
    return drawn.ravel(), expected.ravel()


def profile_pair(observation: Observation) -> tuple[np.ndarray, np.ndarray]:
    """Counts per ring of everything, drawn and expected, from 4 arcsec pixels."""
    grid = observation.grid()
    east, north = grid.centres_arcsec()
    radius = np.hypot(east[None, :], north[:, None]).ravel()
    ring = np.digitize(radius, np.geomspace(15.0, 1850.0, 40))
    drawn = observation.image("soft").data.ravel()
    expected = observation.expected_image("soft").data.ravel()
    return np.bincount(ring, drawn), np.bincount(ring, expected)


def counts_pair(observation: Observation) -> tuple[np.ndarray, np.ndarray]:
    """All counts of the gas, drawn and expected (photons that leave the field are 1e-4 of them)."""
    gas = observation.components[0]
    drawn = np.count_nonzero(observation.events.origin == gas.origin)
    return np.array([drawn]), np.array([expected_counts(gas, observation.exposure_s).sum()])


def chi_square(drawn: np.ndarray, expected: np.ndarray) -> tuple[float, int]:
    """Pearson's chi-square and its number of bins."""
    used = expected >= LEAST_COUNTS
    return float(((drawn - expected)[used] ** 2 / expected[used]).sum()), int(used.sum())


def energy_ratio(observation: Observation) -> float:
    """Energy of the gas photons at the detector over that of the folded spectra."""
    events = observation.events
    gas = observation.components[0]
    true_kev = events.true_energy_kev[events.origin == gas.origin].astype(np.float64)
    redistribution = gas.spectra.redistribution
    _, expected = spectrum_pair(observation)
    middle = 0.5 * (redistribution.channel_edges_kev[1:] + redistribution.channel_edges_kev[:-1])
    return float((true_kev.sum() / len(true_kev)) / ((expected @ middle) / expected.sum()))


def observations(seeds: int) -> Iterator[Observation]:
    """Observe the default cluster once per seed."""
    gas = default_cluster()
    for seed in range(seeds):
        yield observe(gas, exposure=EXPOSURE_S, nh=3e20, seed=seed)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--json", type=Path, help="also write the rows here")
    options = parser.parse_args()
    pairs = {
        "counts": counts_pair,
        "spectrum": spectrum_pair,
        "profile": profile_pair,
        "image": image_pair,
    }
    truth = {name: np.zeros(2) for name in pairs}
    biased = {name: np.zeros(2) for name in pairs}
    energy = []
    for observation in observations(options.seeds):
        for name, pair in pairs.items():
            drawn, expected = pair(observation)
            truth[name] += chi_square(drawn, expected)
            biased[name] += chi_square(drawn, 1.02 * expected)
        energy.append(energy_ratio(observation))
    rows = [
        {
            "test": name,
            "bins": int(bins),
            "chi2_per_bin": chi2 / bins,
            "sigma": (chi2 - bins) / np.sqrt(2.0 * bins),
            "sigma_if_2_percent_high": (biased[name][0] - bins) / np.sqrt(2.0 * bins),
        }
        for name, (chi2, bins) in truth.items()
    ]
    print(f"{options.seeds} seeds, default cluster, {EXPOSURE_S / 1000:.0f} ks, all components")
    print("test          bins  chi2/bin   sigma   sigma if 2% high")
    for row in rows:
        print(
            f"{row['test']:<10} {row['bins']:>7} {row['chi2_per_bin']:>9.4f} {row['sigma']:>7.2f} "
            f"{row['sigma_if_2_percent_high']:>12.1f}"
        )
    print(f"mean photon energy, drawn over expected: {np.mean(energy):.5f}")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "energy": energy}, indent=2) + "\n")


if __name__ == "__main__":
    main()
