"""Gas from yt: particles, a grid, and what is said when yt is not there."""

import sys

import numpy as np
import pytest

from icmass.errors import InputError, MissingDependencyError
from icmass.simulate.readers import gas_from_yt
from tests.helpers.snapshots import make_truth


def test_without_yt_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "yt", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'icmass\[yt\]'"):
        gas_from_yt(object())


@pytest.fixture
def yt():
    module = pytest.importorskip("yt", reason="yt is not installed (extra [yt])")
    module.set_log_level(50)
    return module


@pytest.fixture
def grid(yt):
    """Asymmetric grid of 2 Mpc with 0.4 solar, moving in x; 1e-27 g/cm^3 at 5e7 K."""
    shape = (8, 10, 12)
    density = np.full(shape, 1e-27)
    density[2, 7, 3] = 5e-26  # the centre
    data = {
        "density": (density, "g/cm**3"),
        "temperature": (np.full(shape, 5e7), "K"),
        "metallicity": (np.full(shape, 0.4), "Zsun"),
        "velocity_x": (np.full(shape, 9.0), "km/s"),
        "velocity_y": (np.full(shape, 5.0), "km/s"),
        "velocity_z": (np.full(shape, 7.0), "km/s"),
    }
    box = np.array([[0, 8.0], [0, 10.0], [0, 12.0]])
    return yt.load_uniform_grid(data, shape, length_unit=(250, "kpc"), bbox=box)


@pytest.mark.yt
@pytest.mark.filterwarnings("ignore")
def test_grid(grid):
    gas = gas_from_yt(grid, redshift=0.2)
    assert len(gas) == 960
    cell_cm = 250 * 3.0856776e21
    n_h = 0.76 * 1e-27 / 1.6726219e-24
    thin = np.median(gas.emission_measure_cm3)
    assert thin == pytest.approx(1.76 / 1.52 * n_h**2 * cell_cm**3, rel=1e-5)
    assert gas.emission_measure_cm3.max() == pytest.approx(2500 * thin, rel=1e-6)
    assert set(np.round(gas.metallicity_solar, 9)) == {0.4}
    assert gas.kt_kev == pytest.approx(5e7 * 8.617333e-8, rel=1e-6)
    assert np.abs(gas.velocity_kms).max() < 1e-6  # all moves with the bulk
    assert gas.smoothing_kpc == pytest.approx(2 * 250 * (3 / (4 * np.pi)) ** (1 / 3), rel=1e-5)
    corner = np.array(gas.info.halo.center_kpc)
    assert np.abs(corner - 250 * np.array([2.5, 7.5, 3.5])).max() < 260
    assert gas_from_yt(grid, metallicity=0.7).metallicity_solar.mean() == pytest.approx(0.7)


@pytest.mark.yt
@pytest.mark.filterwarnings("ignore")
def test_sphere_of_a_grid_and_missing_fields(yt, grid):
    inside = gas_from_yt(grid.sphere([2.5, 7.5, 3.5], (600, "kpc")), center=(625, 1875, 875))
    assert len(inside) < 100
    assert inside.radius_kpc().max() <= 600
    with pytest.raises(InputError, match="source: must be a yt dataset or data container; got str"):
        gas_from_yt("snapshot.hdf5")
    bare = yt.load_uniform_grid({"density": (np.full((8, 8, 8), 1e-27), "g/cm**3")}, (8, 8, 8))
    with pytest.raises(InputError, match=r"must have the yt field \('gas', 'temperature'\)"):
        gas_from_yt(bare)


@pytest.mark.yt
@pytest.mark.filterwarnings("ignore")
def test_particles(yt):
    truth = make_truth(fully_ionised=True)
    gas = truth.gas
    code = {
        **{f"particle_position_{x}": gas["position"][:, i] for i, x in enumerate("xyz")},
        **{f"particle_velocity_{x}": gas["velocity"][:, i] for i, x in enumerate("xyz")},
        "particle_mass": gas["mass"],
        "density": gas["density"],
        "smoothing_length": gas["support"],
        "temperature": gas["kt"] / 8.617333e-8,
        "metallicity": gas["metals"],
    }
    kpc_per_km_s = 3.0856776e16  # s
    dataset = yt.load_particles(
        {("io", name): values for name, values in code.items()},
        length_unit=(1, "kpc"), mass_unit=(1, "Msun"), time_unit=(kpc_per_km_s, "s"),
        bbox=np.array([[0, truth.box_kpc]] * 3),
    )  # fmt: skip
    dataset.index  # noqa: B018 - yt sets its fields up here
    got = gas_from_yt(dataset, center=truth.center_kpc)
    order = np.argsort(got.kt_kev)  # yt sorts particles; kT rises with the radius
    assert got.kt_kev[order] == pytest.approx(gas["kt"], rel=1e-5)
    assert got.position_kpc[order] == pytest.approx(truth.offsets(gas["position"]), abs=0.01)
    assert got.smoothing_kpc[order] == pytest.approx(gas["support"], rel=1e-5)
    assert got.mass_msun[order] == pytest.approx(gas["mass"], rel=1e-3)
    metals = gas["metals"] / gas["hydrogen"] / 0.02741
    assert got.metallicity_solar[order] == pytest.approx(metals, rel=1e-3)
    # yt multiplies by its own solar mass, G and so on
    measure = got.emission_measure_cm3[order]
    assert measure == pytest.approx(truth.emission_measure(), rel=1e-3)
    speed = np.ptp(got.velocity_kms[order] - gas["velocity"], axis=0)
    assert np.abs(speed).max() < 0.1
