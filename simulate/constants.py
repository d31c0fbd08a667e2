"""Physical constants in the units used inside: CODATA 2018 and IAU 2015, astropy's values."""

from typing import Final

__all__ = [
    "BOLTZMANN_KEV_PER_K",
    "CM_PER_KPC",
    "ELECTRONS_PER_HYDROGEN",
    "ERG_PER_KEV",
    "HYDROGEN_FRACTION",
    "LIGHT_SPEED_KMS",
    "MSUN_G",
    "NEWTON_KPC_KMS2_PER_MSUN",
    "PROTON_MASS_G",
    "SOLAR_METALS_PER_HYDROGEN",
]

CM_PER_KPC: Final = 3.0856775814913673e21
MSUN_G: Final = 1.988409870698051e33
PROTON_MASS_G: Final = 1.67262192369e-24
BOLTZMANN_KEV_PER_K: Final = 8.617333262145179e-08
ERG_PER_KEV: Final = 1.602176634e-09
LIGHT_SPEED_KMS: Final = 299792.458
NEWTON_KPC_KMS2_PER_MSUN: Final = 4.300917270036279e-06

# Hydrogen mass fraction where a snapshot gives none: primordial, as the hydro codes assume.
HYDROGEN_FRACTION: Final = 0.76

# Electrons per hydrogen atom in fully ionised gas of that fraction, the rest of it helium.
ELECTRONS_PER_HYDROGEN: Final = 1.0 + (1.0 - HYDROGEN_FRACTION) / (2.0 * HYDROGEN_FRACTION)

# Mass of metals over mass of hydrogen in the Sun, by the abundances of the plasma table: Anders &
# Grevesse (1989, GeCoA 53, 197), photospheric column.
SOLAR_METALS_PER_HYDROGEN: Final = 0.02741
