"""How the gas of each halo is layered: density, temperature, metals and motion with radius.

Density is of the form of Vikhlinin et al. (2006, ApJ 640, 691) with a compact core, pressure that
of Arnaud et al. (2010, A&A 517, A92); the temperature follows as P / n. Radii are in R500c of each
halo, densities in Msun/kpc^3, kT in keV.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from icmass.config.base import Config, NotNegative, Number, Positive
from icmass.simulate.constants import ERG_PER_KEV, PROTON_MASS_G
from icmass.simulate.population.number_types import Correlation
from icmass.simulate.population.structure_list import StructureKind, Structures

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo

__all__ = ["GasLayers", "GasParameters", "gas_layers"]

Floats = NDArray[np.float64]
_MEAN_WEIGHT = 0.59  # of fully ionised gas of 0.3 solar
_SHELLS = 256
_INNERMOST = 0.004  # R500c; nothing is resolved inside


class GasParameters(Config):
    """Scaling, shape and structure of the gas; the values and their reasons stand in the YAML."""

    gas_fraction: Annotated[Number, Field(gt=0, lt=1)]
    """M_gas over M inside R500c at the pivot."""
    gas_pivot_msun: Positive
    """The pivot."""
    gas_slope: Number
    """Slope of the gas fraction in mass."""
    gas_loss_msun: NotNegative
    """Haloes of this M500c have lost half of the gas that the power law gives them; 0: none did."""
    gas_loss_slope: Positive
    """How fast the loss fades with mass: gas times 1 / (1 + (gas_loss_msun / M)^slope)."""
    gas_scatter: NotNegative
    """Scatter of ln M_gas at fixed mass."""
    gas_star_formation: Correlation
    """Share of that scatter due to star formation: its correlation with the cause."""
    kt_kev: Positive
    """Mass-weighted temperature inside R500c at the pivot and redshift 0."""
    kt_pivot_msun: Positive
    """The pivot."""
    kt_slope: Number
    """Slope in mass."""
    kt_scatter: NotNegative
    """Scatter of ln T at fixed mass."""
    kt_star_formation: Correlation
    """Correlation with star formation."""
    kt_baryons: Correlation
    """Correlation with the baryons kept."""
    kt_disturbance: Correlation
    """Correlation with the disturbance."""

    core_radius: Positive
    """Core radius, R500c, at the pivot of the gas."""
    core_radius_scatter: NotNegative
    """Scatter of its logarithm."""
    core_radius_cool_core: Correlation
    """Correlation with the cool core."""
    core_radius_beta: Correlation
    """Correlation with the outer slope."""
    core_radius_slope: Number
    """Slope in mass."""
    cusp: Number
    """Inner slope a of n^2."""
    cusp_cool_core: Number
    """Its growth with the cool core."""
    cusp_max: Positive
    """Its greatest value."""
    beta: Positive
    """Outer slope b."""
    beta_scatter: NotNegative
    """Its scatter."""
    steepening_radius: Positive
    """Where the profile steepens, R500c."""
    steepening: NotNegative
    """By how much: e, kept within 0 to 5."""
    steepening_scatter: NotNegative
    """Its scatter."""
    compact: Number
    """ln of the compact core in n^2 over the form at the core radius."""
    compact_cool_core: Number
    """Its growth with the cool core."""
    compact_max: Number
    """The greatest value of that logarithm."""
    compact_radius: Positive
    """Its radius, R500c."""
    compact_slope: Positive
    """Its slope."""
    outer_r500: Annotated[Number, Field(gt=1)]
    """Where the gas ends, R500c."""

    pressure_c500: Positive
    """Concentration of the pressure."""
    pressure_gamma: NotNegative
    """Central slope."""
    pressure_alpha: Positive
    """Intermediate slope."""
    pressure_beta: Positive
    """Outer slope."""
    pressure_slope_scatter: NotNegative
    """Scatter of dlnP/dlnx from halo to halo."""
    kt_bend_low: Positive
    """ln T stays above this much below the mean."""
    kt_bend_high: Positive
    """ln T stays below this much above the mean."""
    cool_share: Annotated[Number, Field(ge=0, lt=1)]
    """Median share of the mass in the cool phase."""
    cool_share_scatter: NotNegative
    """Scatter of its logarithm."""
    cool_factor: Annotated[Number, Field(ge=1)]
    """How many times cooler and denser that phase is."""
    kt_particle_scatter: NotNegative
    """Scatter of ln T from particle to particle."""
    kt_min_kev: NotNegative
    """No gas is colder."""

    fluctuation_center: NotNegative
    """rms of ln n at the centre."""
    fluctuation_r500: NotNegative
    """rms of ln n at R500c."""
    fluctuation_power: Positive
    """Growth in between."""
    fluctuation_disturbance: Number
    """Growth with the disturbance."""
    fluctuation_kt: Number
    """T ~ n^-this in fluctuations."""
    mach_center: NotNegative
    """One-dimensional Mach number at the centre."""
    mach_r500: NotNegative
    """The same at R500c."""
    offset_r500: NotNegative
    """Median distance of the gas peak from the centre, R500c."""
    offset_disturbance: Number
    """Growth with the disturbance."""
    offset_max: NotNegative
    """Greatest distance, R500c."""

    metallicity: NotNegative
    """Far from the core, solar."""
    metallicity_scatter: NotNegative
    """Scatter of its logarithm from halo to halo."""
    metallicity_core: NotNegative
    """Rise in the core."""
    metallicity_radius: Positive
    """Radius of that rise, R500c."""
    metallicity_particle_scatter: NotNegative
    """Scatter from particle to particle."""


@dataclass(frozen=True)
class GasLayers:
    """Shells of every structure, n structures of k shells.

    Attributes
    ----------
    edges : ndarray, shape (k + 1,)
        Radii in R500c of each structure, from 0.
    mass_msun : ndarray, shape (n, k)
        Gas in each shell, 0 outside the truncation.
    density : ndarray, shape (n, k)
        Msun/kpc^3.
    kt_kev : ndarray, shape (n, k)
        Of the hot phase.
    metallicity_solar, fluctuation, velocity_kms : ndarray, shape (n, k)
        Metals, rms of ln n, one-dimensional turbulent velocity.
    cool_share : ndarray, shape (n,)
        Share of the mass in the cool phase.
    """

    edges: Floats
    mass_msun: Floats
    density: Floats
    kt_kev: Floats
    metallicity_solar: Floats
    fluctuation: Floats
    velocity_kms: Floats
    cool_share: Floats


def gas_layers(
    halo: "MainHalo",
    structures: Structures,
    parameters: GasParameters,
    efunc: float,
    rng: np.random.Generator,
) -> GasLayers:
    """Layer the gas of every structure of a field.

    Parameters
    ----------
    halo : MainHalo
    structures : Structures
        Row 0 is the halo.
    parameters : GasParameters
    efunc : float
        H(z) / H0.
    rng : numpy.random.Generator
        Of the variety of the profiles.

    Returns
    -------
    GasLayers
    """
    count = len(structures)
    normal = rng.standard_normal((count, 8))
    normal[0, :2] = halo.baryons, halo.thermal
    outer = np.geomspace(1.0, parameters.outer_r500, _SHELLS // 4)
    edges = np.concatenate([[0.0], np.geomspace(_INNERMOST, 1.0, _SHELLS), outer[1:]])
    x = np.sqrt(edges[1:] * np.maximum(edges[:-1], 0.5 * edges[1]))
    volume = 4.0 * np.pi / 3.0 * np.diff(edges**3)
    inside = edges[1:] <= 1.0 + 1e-9

    shape = _density_shape(x, structures, parameters, normal)
    gas_mass = _gas_mass(structures, parameters, normal[:, 0])
    shell = shape * volume
    norm = gas_mass / shell[:, inside].sum(axis=1)
    # What fell in is part of the gas of the main halo.
    norm[0] *= 1.0 - _share_in_substructure(halo, structures, gas_mass)
    mass = norm[:, None] * shell
    mass[edges[1:] > structures.truncation_r500[:, None]] = 0.0
    kt, cool_share = _temperature(x, shell * inside, shape, structures, parameters, efunc, normal)
    fluctuation = parameters.fluctuation_center + (
        parameters.fluctuation_r500 - parameters.fluctuation_center
    ) * x**parameters.fluctuation_power * np.ones((count, 1))
    fluctuation *= np.exp(parameters.fluctuation_disturbance * structures.disturbance[:, None])
    fluctuation = np.minimum(fluctuation, 0.6)
    mach = parameters.mach_center + (parameters.mach_r500 - parameters.mach_center) * x
    sound = np.sqrt(5.0 / 3.0 * kt * ERG_PER_KEV / (_MEAN_WEIGHT * PROTON_MASS_G)) / 1e5
    metallicity = parameters.metallicity * np.exp(parameters.metallicity_scatter * normal[:, 7])
    rise = 1.0 + parameters.metallicity_core * np.exp(-x / parameters.metallicity_radius)
    return GasLayers(
        edges=edges,
        mass_msun=mass,
        density=norm[:, None] * shape / structures.r500c_kpc[:, None] ** 3,
        kt_kev=kt,
        metallicity_solar=np.minimum(metallicity[:, None] * rise, 3.0),
        fluctuation=fluctuation,
        velocity_kms=np.minimum(mach, 0.6) * sound,
        cool_share=cool_share,
    )


def _gas_mass(structures: Structures, parameters: GasParameters, baryons: Floats) -> Floats:
    """Gas inside R500c of each structure, Msun."""
    mass = structures.m500c_msun
    shared = parameters.gas_star_formation
    offset = shared * structures.star_formation + np.sqrt(1.0 - shared**2) * baryons
    fraction = parameters.gas_fraction * (mass / parameters.gas_pivot_msun) ** parameters.gas_slope
    fraction /= 1.0 + (parameters.gas_loss_msun / mass) ** parameters.gas_loss_slope
    return mass * structures.gas_kept * fraction * np.exp(parameters.gas_scatter * offset)


def _share_in_substructure(halo: "MainHalo", structures: Structures, gas_mass: Floats) -> float:
    """Share of the gas inside R500c that infalling structures hold, at most a half."""
    distance = np.linalg.norm(structures.position_kpc, axis=1)
    reach = np.minimum(structures.truncation_r500, 1.0) * structures.r500c_kpc
    within = np.clip(0.5 + (halo.r500c_kpc - distance) / (2.0 * reach), 0.0, 1.0)
    fallen = structures.kind != StructureKind.MAIN
    return min(0.5, float(np.sum((within * gas_mass)[fallen])) / float(gas_mass[0]))


def _density_shape(
    x: Floats, structures: Structures, parameters: GasParameters, normal: Floats
) -> Floats:
    """Density with radius, any norm, shape (n, k)."""
    p = parameters
    cool_core = structures.cool_core[:, None]
    slope = normal[:, 3, None]
    known = np.array([p.core_radius_cool_core, p.core_radius_beta])
    rest = np.sqrt(max(0.0, 1.0 - known @ known))
    offset = known[0] * cool_core + known[1] * slope + rest * normal[:, 2, None]
    mass = structures.m500c_msun[:, None] / p.gas_pivot_msun
    core = p.core_radius * mass**p.core_radius_slope * np.exp(p.core_radius_scatter * offset)
    cusp = np.clip(p.cusp + p.cusp_cool_core * cool_core, 0.0, p.cusp_max)
    beta = np.maximum(p.beta + p.beta_scatter * slope, 0.4)
    outer = np.clip(p.steepening + p.steepening_scatter * normal[:, 4, None], 0.0, 5.0)
    squared = (
        (x / core) ** -cusp
        * (1.0 + (x / core) ** 2) ** (0.5 * cusp - 3.0 * beta)
        * (1.0 + (x / p.steepening_radius) ** 3) ** (-outer / 3.0)
    )
    height = np.exp(np.minimum(p.compact + p.compact_cool_core * cool_core, p.compact_max))
    squared += height * (1.0 + (x / p.compact_radius) ** 2) ** -p.compact_slope
    return np.sqrt(squared)


def _temperature(
    x: Floats,
    shell_mass: Floats,
    density: Floats,
    structures: Structures,
    parameters: GasParameters,
    efunc: float,
    normal: Floats,
) -> tuple[Floats, Floats]:
    """Temperature of the hot phase, shape (n, k), and the share of the cool one, shape (n,).

    `shell_mass` is zero outside R500c, where it weighs the temperature.
    """
    p = parameters
    scaled = p.pressure_c500 * x
    pressure = scaled**-p.pressure_gamma * (1.0 + scaled**p.pressure_alpha) ** (
        (p.pressure_gamma - p.pressure_beta) / p.pressure_alpha
    )
    raw = np.log(pressure) + p.pressure_slope_scatter * normal[:, 5, None] * np.log(x)
    raw = raw - np.log(density)
    weight = shell_mass / shell_mass.sum(axis=1, keepdims=True)
    raw -= (weight * raw).sum(axis=1, keepdims=True)
    limit = np.where(raw < 0.0, p.kt_bend_low, p.kt_bend_high)
    shape = np.exp(limit * np.tanh(raw / limit))
    cool = np.minimum(p.cool_share * np.exp(p.cool_share_scatter * normal[:, 6]), 0.4)
    mean = (weight * shape).sum(axis=1) * (1.0 - cool + cool / p.cool_factor)
    return (_mean_kt(structures, p, efunc, normal) / mean)[:, None] * shape, cool


def _mean_kt(
    structures: Structures, parameters: GasParameters, efunc: float, normal: Floats
) -> Floats:
    """Mass-weighted kT inside R500c of each structure."""
    p = parameters
    known = np.array([p.kt_star_formation, p.kt_baryons, p.kt_disturbance])
    causes = np.stack([structures.star_formation, normal[:, 0], structures.disturbance])
    offset = known @ causes + np.sqrt(max(0.0, 1.0 - known @ known)) * normal[:, 1]
    scale = p.kt_kev * efunc ** (2.0 / 3.0)
    return (
        scale
        * (structures.m500c_msun / p.kt_pivot_msun) ** p.kt_slope
        * np.exp(p.kt_scatter * offset)
    )
