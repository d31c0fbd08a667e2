"""The gas of a whole field in particles: halo, what falls into it, neighbours and filaments.

Particles crowd where gas is dense: half of them go by mass, half by emission, so that a core is as
well resolved as the outskirts. Positions are physical kpc in the frame of the observer.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.constants import (
    CM_PER_KPC,
    ELECTRONS_PER_HYDROGEN,
    HYDROGEN_FRACTION,
    MSUN_G,
    PROTON_MASS_G,
)
from icmass.simulate.gas import Census, Gas, GasInfo, Halo
from icmass.simulate.population.gas_profile import GasLayers, GasParameters, gas_layers
from icmass.simulate.population.paint_kernels import FIELD_STEP, paint_bridges, paint_shells
from icmass.simulate.population.structure_list import Filaments, Structures
from icmass.simulate.rng import kernel_key, stream

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo
    from icmass.simulate.population.parameters import Population

__all__ = ["paint_gas"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MAIN_SHARE = 0.6  # of the particles, at least
_LEAST = 32  # particles of a structure
_NEIGHBOURS = 48  # inside the support of a particle
_CELLS = 64
_CUBE_R500 = 4.0
_FILAMENT_METALLICITY = 0.2
# n_e n_H V in cm^-3 of a mass times a density, Msun^2 / kpc^3.
_MEASURE = (
    ELECTRONS_PER_HYDROGEN * (HYDROGEN_FRACTION * MSUN_G / PROTON_MASS_G) ** 2 / CM_PER_KPC**3
)


def paint_gas(
    halo: "MainHalo", structures: Structures, population: "Population", n_particles: int, seed: int
) -> Gas:
    """Paint the gas of a field.

    Parameters
    ----------
    halo : MainHalo
    structures : Structures
        Everything in the field, in the frame of the observer; row 0 is the halo.
    population : Population
    n_particles : int
        Particles altogether, at least 1,000.
    seed : int
        Of the sample.

    Returns
    -------
    Gas

    Raises
    ------
    InputError
        If there are too few particles.
    """
    if n_particles < 1000:
        raise InputError(f"n_particles: must be at least 1000; got {n_particles}.")
    parameters = population.gas
    cosmology = population.haloes.cosmology()
    names = ("population", halo.snapshot_id, halo.halo_id)
    rng = np.random.default_rng(stream(seed, *names, "gas"))
    layers = gas_layers(halo, structures, parameters, float(cosmology.efunc(halo.redshift)), rng)
    peak_rng = np.random.default_rng(stream(seed, *names, "gas peak"))
    key = kernel_key(stream(seed, *names, "particles"))

    first = _share_out(layers.mass_msun.sum(axis=1), structures.filaments, n_particles)
    bridges = len(structures.filaments)
    arrays = _empty(n_particles)
    _paint_structures(
        structures, layers, parameters, first[: len(structures) + 1], peak_rng, key, arrays
    )
    if bridges:
        _paint_filaments(structures.filaments, first[len(structures) :], key, arrays)
    arrays["emission_measure_cm3"] *= _MEASURE
    return Gas(**arrays, info=_info(halo, population, n_particles, seed))


def _empty(count: int) -> dict[str, Floats]:
    wide = ("position_kpc", "velocity_kms")
    return {name: np.empty((count, 3) if name in wide else count) for name in Gas.array_names()}


def _share_out(gas_mass: Floats, filaments: Filaments, n_particles: int) -> Ints:
    """Particle at which each structure and then each filament begins, shape (n + 1,)."""
    weight = np.concatenate([gas_mass, filaments.gas_mass_msun]) ** 0.7
    room = weight[0] * (1.0 / _MAIN_SHARE - 1.0)
    weight[1:] *= room / max(room, weight[1:].sum())
    spare = n_particles - min(_LEAST, n_particles // (2 * len(weight))) * len(weight)
    least = (n_particles - spare) // len(weight)
    share = np.floor(spare * np.cumsum(weight) / weight.sum() + 1e-9).astype(np.int64)
    share[-1] = spare
    return np.concatenate([[0], share + least * np.arange(1, len(weight) + 1)])


def _paint_structures(
    structures: Structures,
    layers: GasLayers,
    parameters: GasParameters,
    first: Ints,
    rng: np.random.Generator,
    key: NDArray[np.uint64],
    arrays: dict[str, Floats],
) -> None:
    """Fill the rows of the particles of all haloes."""
    share = _particle_shares(layers)
    cumulative = np.zeros((len(structures), share.shape[1] + 1))
    np.cumsum(share, axis=1, out=cumulative[:, 1:])
    cumulative /= cumulative[:, -1:]
    number = np.maximum(share * np.diff(first)[:, None], 1e-30)
    shell_volume = 4.0 * np.pi / 3.0 * np.diff(layers.edges**3) * structures.r500c_kpc[:, None] ** 3
    middle, short = structures.axis_ratio.T
    half_axes = np.stack([np.ones_like(middle), middle, short], axis=1)
    half_axes *= (structures.r500c_kpc / np.cbrt(middle * short))[:, None]
    normal = rng.standard_normal((len(structures), 7))
    paint_shells(
        key,
        first,
        layers.edges,
        cumulative,
        layers.mass_msun / number,
        layers.density,
        layers.kt_kev,
        layers.metallicity_solar,
        layers.fluctuation,
        layers.velocity_kms,
        np.cbrt(_NEIGHBOURS * 3.0 / (4.0 * np.pi) * shell_volume / number),
        half_axes[:, :, None] * structures.orientation,
        np.ascontiguousarray(structures.position_kpc),
        np.ascontiguousarray(structures.velocity_kms),
        _peaks(structures, parameters, normal),
        1000.0 * normal[:, 4:],  # far more than the cube's side: anywhere in it
        layers.cool_share,
        parameters.cool_factor,
        parameters.fluctuation_kt,
        parameters.kt_particle_scatter,
        parameters.kt_min_kev,
        parameters.metallicity_particle_scatter,
        _fluctuations(),
        _CELLS / _CUBE_R500,
        *(arrays[name] for name in Gas.array_names()),
    )


def _particle_shares(layers: GasLayers) -> Floats:
    """Share of a structure's particles in each shell: half by mass, half by emission."""
    measure = layers.mass_msun * layers.density
    by_mass = layers.mass_msun / layers.mass_msun.sum(axis=1, keepdims=True)
    return 0.5 * by_mass + 0.5 * measure / measure.sum(axis=1, keepdims=True)


def _peaks(structures: Structures, parameters: GasParameters, normal: Floats) -> Floats:
    """Where the innermost gas lies, kpc from the centre: it sloshes after mergers."""
    length = parameters.offset_r500 * np.exp(
        parameters.offset_disturbance * structures.disturbance + 0.5 * normal[:, 3]
    )
    length = np.minimum(length, parameters.offset_max) * structures.r500c_kpc
    direction = normal[:, :3] / np.linalg.norm(normal[:, :3], axis=1, keepdims=True)
    return np.einsum("ni,nij->nj", length[:, None] * direction, structures.orientation)


def _paint_filaments(
    filaments: Filaments, first: Ints, key: NDArray[np.uint64], arrays: dict[str, Floats]
) -> None:
    """Fill the rows of the particles of filaments."""
    length = np.linalg.norm(filaments.end_kpc - filaments.start_kpc, axis=1)
    density = filaments.gas_mass_msun / (np.pi * filaments.radius_kpc**2 * length)
    paint_bridges(
        key,
        first,
        filaments.start_kpc,
        filaments.end_kpc,
        filaments.radius_kpc,
        filaments.gas_mass_msun / np.diff(first),
        density,
        filaments.kt_kev,
        arrays["position_kpc"],
        arrays["velocity_kms"],
        arrays["kt_kev"],
        arrays["mass_msun"],
        arrays["emission_measure_cm3"],
        arrays["smoothing_kpc"],
    )
    arrays["metallicity_solar"][first[0] :] = _FILAMENT_METALLICITY


@lru_cache(maxsize=1)
def _fluctuations() -> NDArray[np.int8]:
    """Periodic cube of a density field and a solenoidal velocity field, in `FIELD_STEP` of the rms.

    Bytes, so that it stays in the processor's cache.

    Power falls as k^(-11/3) from an eighth of the cube on (half of R500c); every cluster sees it
    from another place and side.
    """
    rng = np.random.default_rng(stream(0, "population", "fluctuations"))
    white = rng.standard_normal((4, _CELLS, _CELLS, _CELLS))
    wave = np.fft.fftfreq(_CELLS) * _CELLS
    k = np.stack(np.meshgrid(wave, wave, wave[: _CELLS // 2 + 1], indexing="ij"))
    square = (k**2).sum(axis=0)
    modes = np.fft.rfftn(white, axes=(1, 2, 3)) * (8.0**2 / 4.0 + square) ** (-11.0 / 12.0)
    square[0, 0, 0] = 1.0
    modes[1:] -= k * (k * modes[1:]).sum(axis=0) / square
    modes[:, 0, 0, 0] = 0.0
    field = np.fft.irfftn(modes, s=(_CELLS,) * 3, axes=(1, 2, 3))
    field /= np.sqrt(np.mean(field**2, axis=(1, 2, 3), keepdims=True))
    steps = np.clip(np.rint(field / FIELD_STEP), -127, 127)
    return np.ascontiguousarray(np.moveaxis(steps, 0, -1), dtype=np.int8)


def _info(halo: "MainHalo", population: "Population", count: int, seed: int) -> GasInfo:
    return GasInfo(
        source=f"population, seed {seed}, halo {halo.halo_id}",
        code="icmass",
        cosmology=population.haloes.cosmology(),
        redshift=halo.redshift,
        halo=Halo(
            center_kpc=(0.0, 0.0, 0.0),
            velocity_kms=(0.0, 0.0, 0.0),
            m500c_msun=halo.m500c_msun,
            r500c_kpc=halo.r500c_kpc,
            m200c_msun=halo.m200c_msun,
            r200c_kpc=halo.r200c_kpc,
            total_mass=True,
        ),
        census=Census((("painted", count),)),
    )
