"""Which simulated halo stands for a halo of the light cone.

The nearest in mass and redshift, counted in steps of 10% in mass and 5% in 1 + z. Where several are
about as near, each halo chooses one by a random number of its own, so that a rich simulation shows
its variety.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from icmass.errors import InputError
from icmass.simulate.gas import Halo
from icmass.simulate.lightcone.light_cone import LightCone
from icmass.simulate.lightcone.own_numbers import own_uniforms
from icmass.simulate.population.haloes import CAUSES

__all__ = ["nearest_templates", "with_templates"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LN_MASS_STEP: Final = 0.1
LN_REDSHIFT_STEP: Final = 0.05
CHOICES: Final = 8
SLACK: Final = 1.0  # steps beyond the nearest in which a template is as good


def nearest_templates(
    light_cone: LightCone, m500c_msun: Floats, redshift: Floats, seed: int
) -> Ints:
    """Choose a template for each halo.

    Parameters
    ----------
    light_cone : LightCone
    m500c_msun, redshift : ndarray, shape (m,)
        Of the templates.
    seed : int
        Of the light cone.

    Returns
    -------
    ndarray of int64, shape (n,)
        One of the `CHOICES` nearest templates, no more than one step farther away than the nearest,
        all alike.

    Raises
    ------
    InputError
        If there is no template, or one without positive mass and redshift.
    """
    masses, redshifts = np.asarray(m500c_msun, float), np.asarray(redshift, float)
    if masses.ndim != 1 or masses.shape != redshifts.shape or len(masses) == 0:
        raise InputError(
            f"templates: must be at least one, with a mass and a redshift each; got shapes "
            f"{masses.shape} and {redshifts.shape}. Give haloes of a snapshot."
        )
    bad = ~(np.isfinite(masses) & (masses > 0.0) & np.isfinite(redshifts) & (redshifts > -1.0))
    if bad.any():
        first = int(bad.argmax())
        raise InputError(
            f"templates: must have positive M500c and finite redshift; template {first} has "
            f"{masses[first]:g} Msun at {redshifts[first]:g}. Leave it out."
        )
    if len(light_cone) == 0:
        return np.zeros(0, dtype=np.int64)
    haloes = light_cone.haloes
    count = min(CHOICES, len(masses))
    tree = cKDTree(_steps(masses, redshifts))
    distance, found = tree.query(_steps(haloes.m500c_msun, haloes.redshift), k=count)
    distance, found = distance.reshape(-1, count), found.reshape(-1, count)
    good = (distance <= distance[:, :1] + SLACK).sum(axis=1)
    own = own_uniforms(seed, "template", light_cone.key, 1)[:, 0]
    return found[np.arange(len(found)), (own * good).astype(int)].astype(np.int64)


def with_templates(light_cone: LightCone, template: Ints, templates: Sequence[Halo]) -> LightCone:
    """Give haloes the masses and radii of their templates, whose gas they get.

    Place, redshift, ids and keys stay. The concentration and the causes of the population, which
    the gas of a template does not follow, become NaN.

    Parameters
    ----------
    light_cone : LightCone
    template : ndarray of int64, shape (n,)
        From `nearest_templates`.
    templates : sequence of Halo
        As measured in the snapshots, physical.

    Raises
    ------
    InputError
        If a number names no template, or there is not one for each halo.
    """
    template = np.asarray(template, dtype=np.int64)
    if template.shape != (len(light_cone),):
        raise InputError(
            f"template: must be one for each of {len(light_cone)} haloes; got {template.shape}."
        )
    if len(template) and not (template.min() >= 0 and template.max() < len(templates)):
        raise InputError(
            f"template: must lie between 0 and {len(templates) - 1}; got {template.min()} to "
            f"{template.max()}. Choose again by nearest_templates."
        )
    names = ("m500c_msun", "r500c_kpc", "m200c_msun", "r200c_kpc")
    columns: dict[str, Any] = {
        name: np.array([getattr(halo, name) for halo in templates], dtype=np.float64)[template]
        for name in names
    }
    unknown = np.full(len(template), np.nan)
    columns |= dict.fromkeys(("concentration", *CAUSES), unknown)
    haloes = replace(light_cone.haloes, **columns)
    return replace(light_cone, haloes=haloes, template=template)


def _steps(m500c_msun: Floats, redshift: Floats) -> Floats:
    """Coordinates in which the nearest is looked for, shape (n, 2)."""
    return np.column_stack(
        [np.log(m500c_msun) / LN_MASS_STEP, np.log1p(redshift) / LN_REDSHIFT_STEP]
    )
