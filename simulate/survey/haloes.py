"""The haloes of a survey: their gas, painted or from simulations, and their photons.

A halo is drawn in a field of its own, so that its photons depend on the seed and the halo alone:
tiles that it spans draw it once each and keep their parts.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from icmass.errors import InputError
from icmass.simulate.emission.table import SpectralTable
from icmass.simulate.events import Events
from icmass.simulate.gas import Gas, Halo
from icmass.simulate.instrument import Instrument
from icmass.simulate.lightcone import LightCone
from icmass.simulate.photons.draw import draw_events
from icmass.simulate.photons.expectation import expected_counts
from icmass.simulate.photons.gas_component import gas_component
from icmass.simulate.population.cluster import paint_alone
from icmass.simulate.population.parameters import Population
from icmass.simulate.rows.row import within_table
from icmass.simulate.rows.settings import GAS_COLUMNS
from icmass.simulate.rows.truth import gas_truth
from icmass.simulate.scene import Scene
from icmass.simulate.snapshots.source import SnapshotSource
from icmass.simulate.survey.cells import exposed
from icmass.simulate.survey.conditions import Conditions
from icmass.simulate.survey.sky_events import SkyEvents
from icmass.simulate.survey.tile_maps import VIGNETTED_BAND
from icmass.simulate.view import View

__all__ = ["TRUTH", "HaloPhotons", "Painter", "draw_halo", "reach_deg"]

Floats = NDArray[np.float64]

# Columns of the catalog that are true of the gas of a halo; a painted one has all of them.
TRUTH: Final = (
    "concentration",
    "dynamical_state",
    "cool_core_strength",
    "axis_ratio",
    "n_substructures",
    "substructure_mass_fraction",
    *GAS_COLUMNS,
)

# Gas of a halo ends within 3 R500c of its centre, up to its shape and the extent of particles; of
# what lies beyond 4 no photon is drawn.
_REACH_R500C: Final = 4.0
_LEAST_PARTICLES: Final = 1_000
_PARTICLES_PER_COUNT: Final = 100.0  # so that their noise is a tenth of that of the photons
# Haloes that would send fewer photons on average are not drawn: one in ten sends a single one.
_FEWEST_COUNTS: Final = 0.1
# Rough counts of a halo: L(0.5-2) = 2.7e44 (M500c / 6.35e14)^2.1 E^2 erg/s (fit to Bulbul et al.
# 2019, ApJ 871, 50) and 0.6e12 counts per erg/cm^2; it says which haloes are drawn, and how finely.
_LUMINOSITY, _PIVOT_MSUN, _SLOPE, _COUNTS_PER_FLUX = 2.7e44, 6.35e14, 2.1, 0.6e12
# Of 1 + z, between redshifts at which spectra are folded.
_REDSHIFT_STEP: Final = 0.005
_CM_PER_MPC: Final = 3.0856776e24


@dataclass(frozen=True)
class HaloPhotons:
    """The photons of one halo, and what is true of it.

    Attributes
    ----------
    events : SkyEvents
        Wherever they fell, outside the footprint too.
    expected, expected_soft : float
        Counts that are expected where the survey looks: of all energies, and in the band of the
        search for sources.
    truth : dict
        Columns of the catalog, measured on its gas.
    """

    events: SkyEvents
    expected: float
    expected_soft: float
    truth: dict[str, float]


@dataclass(frozen=True)
class Painter:
    """Gives the gas of each halo of a light cone.

    Attributes
    ----------
    light_cone : LightCone
    population : Population
    seed : int
    particles : int
        The most for one halo.
    exposure_s : ndarray, shape (n,)
        Of each halo; faint ones need few particles.
    source : SnapshotSource, optional
        Whose haloes are taken, where the light cone names them.
    """

    light_cone: LightCone
    population: Population
    seed: int
    particles: int
    exposure_s: Floats
    source: SnapshotSource | None = None

    def scene(self, row: int) -> Scene:
        """Return the halo of `row` of the light cone, alone."""
        if self.source is not None and self.light_cone.template is not None:
            return self.source.scene(int(self.light_cone.template[row]))
        halo = self.light_cone.stable_row(row)
        return paint_alone(self._alone, halo, self.seed, self._particles(row))

    def gas(self, row: int) -> tuple[Gas, float]:
        """Return the gas of the halo of `row`, within the plasma table, and its redshift."""
        redshift = float(self.light_cone.haloes.redshift[row])
        return within_table(self.scene(row).gas, SpectralTable.load())[0], redshift

    @cached_property
    def _alone(self) -> Population:
        return self.population.alone()

    @cached_property
    def rough_counts(self) -> Floats:
        """About how many photons each halo sends, shape (n,)."""
        haloes, cosmology = self.light_cone.haloes, self.population.haloes.cosmology()
        if not len(haloes):
            return np.empty(0)
        grid = np.geomspace(haloes.redshift.min(), haloes.redshift.max() * 1.001, 1000)
        distance_cm = _CM_PER_MPC * np.interp(
            haloes.redshift, grid, cosmology.luminosity_distance(grid).value
        )
        growth = np.interp(haloes.redshift, grid, cosmology.efunc(grid)) ** 2
        luminosity = _LUMINOSITY * (haloes.m500c_msun / _PIVOT_MSUN) ** _SLOPE * growth
        flux = luminosity / (4.0 * math.pi * distance_cm**2)
        return flux * _COUNTS_PER_FLUX * self.exposure_s

    @property
    def shining(self) -> NDArray[np.bool_]:
        """Which haloes have photons of their own; the light of others is in the background."""
        return self.rough_counts >= _FEWEST_COUNTS

    def _particles(self, row: int) -> int:
        wanted = _PARTICLES_PER_COUNT * self.rough_counts[row]
        return int(np.clip(wanted, _LEAST_PARTICLES, self.particles))


def reach_deg(
    r500c_kpc: Floats, redshift: Floats, population: Population, wings_deg: float
) -> Floats:
    """Return how far from their centres haloes send photons, degrees, shape (n,).

    Parameters
    ----------
    r500c_kpc, redshift : ndarray, shape (n,)
    population : Population
        For its cosmology.
    wings_deg : float
        How far the point-spread function spreads light.
    """
    grid = np.linspace(redshift.min(), redshift.max(), 2000) if len(redshift) else np.ones(1)
    scale = population.haloes.cosmology().kpc_proper_per_arcmin(grid).value * 60.0
    # Offsets are those of a tangent plane, longer than arcs: this is on the safe side.
    return _REACH_R500C * r500c_kpc / np.interp(redshift, grid, scale) + wings_deg


def draw_halo(
    painter: Painter,
    row: int,
    conditions: Conditions,
    instrument: Instrument,
    reach_deg: float,
    *,
    measured: bool = True,
) -> HaloPhotons:
    """Draw the photons of a halo.

    Parameters
    ----------
    painter : Painter
    row : int
        Of its light cone.
    conditions : Conditions
    instrument : Instrument
    reach_deg : float
        From the function of this name, of this halo.
    measured : bool
        Whether the truth is wanted, which takes its time; it is empty otherwise.

    Returns
    -------
    HaloPhotons
        The same, bit by bit, for the same seed, light cone and conditions.
    """
    light_cone, table = painter.light_cone, SpectralTable.load()
    scene = painter.scene(row)
    halo, redshift = light_cone.row(row), float(light_cone.haloes.redshift[row])
    gas, _ = within_table(scene.gas, table)
    ra_deg, dec_deg = float(light_cone.ra_deg[row]), float(light_cone.dec_deg[row])
    view = View(ra_deg, dec_deg, "survey", 2.0 * 3600.0 * reach_deg)
    column = conditions.column_at(np.array([ra_deg]), np.array([dec_deg]))
    component = gas_component(
        gas,
        view,
        instrument,
        redshift=redshift,
        nh_cm2=float(column[0]),
        table=table,
        spectral_redshift=_near(redshift),
    )
    longest = conditions.longest_s
    emitters = component.emitters
    share = conditions.exposure_at(*view.sky(emitters.east_arcsec, emitters.north_arcsec)) / longest
    wings_arcsec = instrument.psf("survey").max_radius_arcsec
    distance = np.hypot(emitters.east_arcsec, emitters.north_arcsec)
    component = exposed(
        component, np.where(distance < view.width_arcsec / 2.0 - wings_arcsec, share, 0.0)
    )
    events = draw_events(
        [component],
        view,
        instrument,
        longest,
        painter.seed,
        ("survey", "halo", int(light_cone.key[row])),
    )
    events = events.select(_within_circle(events, view))
    source_id = np.full(len(events), halo.halo_id, np.int64)
    return HaloPhotons(
        SkyEvents.of(events, *events.ra_dec(view), source_id),
        float(expected_counts(component, longest).sum()),
        float(expected_counts(component, longest, VIGNETTED_BAND).sum()),
        {**scene.truth, **gas_truth(gas, _sphere(gas), table)} if measured else {},
    )


def _near(redshift: float) -> float:
    """Redshift at which spectra are folded."""
    step = math.log1p(_REDSHIFT_STEP)
    return math.expm1(step * round(math.log1p(redshift) / step))


def _within_circle(events: Events, view: View) -> NDArray[np.bool_]:
    """Tell which photons fell within the circle that the square field is drawn around."""
    east, north = events.east_arcsec.astype(np.float64), events.north_arcsec.astype(np.float64)
    return np.hypot(east, north) <= 0.5 * view.width_arcsec


def _sphere(gas: Gas) -> Halo:
    if gas.info.halo is None:
        raise InputError("haloes: must have a mass and a radius; the gas of one has none.")
    return gas.info.halo
