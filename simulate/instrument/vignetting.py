"""How much of the on-axis effective area is left away from the axis.

A model with one parameter per energy: exp(-theta / scale(E)), steep near the axis as the measured
curves of nested mirrors are. Angles in arcmin, energies in keV. The scale follows from what is
well measured, the mean over the field of view, see `scale_from_mean`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from icmass.errors import InputError

__all__ = ["Vignetting", "disc_mean", "scale_from_mean"]


@dataclass(frozen=True, eq=False)
class Vignetting:
    """Exponential fall of the area with off-axis angle.

    Parameters
    ----------
    energy_kev : (k,) float64
        Ascending energies of the table.
    scale_arcmin : (k,) float64
        Angle at which the area has fallen to 1/e, > 0; interpolated linearly in log energy and
        constant outside the table.

    Raises
    ------
    InputError
        If the arrays do not match, energies do not ascend or scales are not positive.
    """

    energy_kev: np.ndarray
    scale_arcmin: np.ndarray

    def __post_init__(self) -> None:
        if self.energy_kev.shape != self.scale_arcmin.shape or self.energy_kev.size == 0:
            raise InputError(
                f"vignetting: must have one scale per energy; got {self.energy_kev.size} energies "
                f"and {self.scale_arcmin.size} scales."
            )
        if not (np.all(self.energy_kev > 0) and np.all(np.diff(self.energy_kev) > 0)):
            raise InputError(
                "vignetting energy_kev: must be > 0 and ascend; got values that do not."
            )
        if not np.all(self.scale_arcmin > 0.0):
            raise InputError(
                f"vignetting scale_arcmin: must be > 0; got {np.min(self.scale_arcmin)}."
            )

    def factor(
        self, energy_kev: np.ndarray | float, theta_arcmin: np.ndarray | float
    ) -> np.ndarray:
        """Area over on-axis area.

        Parameters
        ----------
        energy_kev : (n,) array
            Photon energies.
        theta_arcmin : (m,) array
            Off-axis angles.

        Returns
        -------
        (m, n) float64
            1 on axis.
        """
        theta = np.atleast_1d(np.asarray(theta_arcmin, dtype=np.float64))
        return np.exp(-theta[:, None] / self._scale_at(energy_kev)[None, :])

    def field_mean(self, energy_kev: np.ndarray | float, radius_arcmin: float) -> np.ndarray:
        """Mean factor over a circular field of view: what a survey scan averages to.

        Of radius `radius_arcmin`, at each of `energy_kev`, shape (n,), which the result has too.
        """
        return disc_mean(radius_arcmin / self._scale_at(energy_kev))

    def _scale_at(self, energy_kev: np.ndarray | float) -> np.ndarray:
        """Scale in arcmin at each energy, shape (n,)."""
        log_energy = np.log(np.atleast_1d(np.asarray(energy_kev, dtype=np.float64)))
        return np.interp(log_energy, np.log(self.energy_kev), self.scale_arcmin)


def disc_mean(x: np.ndarray | float) -> np.ndarray:
    """Mean of exp(-r) over a disc of radius `x`, any shape: 2 [1 - (1 + x) exp(-x)] / x^2."""
    x = np.asarray(x, dtype=np.float64)
    return 2.0 * (-np.expm1(-x) - x * np.exp(-x)) / x**2


def scale_from_mean(mean: np.ndarray, radius_arcmin: float) -> np.ndarray:
    """Scale in arcmin of which the mean over a circular field is `mean`, shape (k,), as the result.

    `radius_arcmin` is the radius of the field.

    Raises
    ------
    InputError
        If a mean is not between 0 and 1, both excluded.
    """
    mean = np.atleast_1d(np.asarray(mean, dtype=np.float64))
    if not np.all((mean > 0.0) & (mean < 1.0)):
        raise InputError(
            f"mean vignetting: must be between 0 and 1; got {mean.min()}-{mean.max()}."
        )
    reach = [brentq(lambda x, m=m: float(disc_mean(x)) - m, 1e-4, 1e3) for m in mean]
    return radius_arcmin / np.asarray(reach)
