"""A small plasma table whose photons can be counted by hand."""

import numpy as np
import pytest

from icmass.simulate.emission import SpectralTable


@pytest.fixture
def toy_table() -> SpectralTable:
    """Smooth, unequal bins; both parts fall with energy and change with temperature."""
    edges = np.geomspace(0.05, 40.0, 700)
    energy, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    kt = np.array([0.3, 0.5, 1.1, 2.0, 5.0, 9.0])
    base = 1e-15 * width * energy**-1.0 * np.exp(-energy / kt[:, None])
    metal = 3e-16 * width * np.exp(-((energy - 0.9) ** 2) / 0.1) / kt[:, None]
    return SpectralTable(edges, kt, base, metal, {"source": "toy"})
