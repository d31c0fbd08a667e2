"""What hot gas and other sources emit, and what cold gas lets through.

Spectra of collisionally ionised plasma from one table (`SpectralTable`, `cie_spectrum`), power
laws, and Galactic absorption. `build_builtin`, `build_atomdb` and `build_arrays` make tables.
"""

from icmass.simulate.emission.absorption import CrossSection, bin_transmission, transmission
from icmass.simulate.emission.powerlaw import powerlaw
from icmass.simulate.emission.spectrum import cie_spectrum
from icmass.simulate.emission.table import SpectralTable, resolve_table

__all__ = [
    "CrossSection",
    "SpectralTable",
    "bin_transmission",
    "cie_spectrum",
    "powerlaw",
    "resolve_table",
    "transmission",
]
