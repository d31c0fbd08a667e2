"""Arrays with units give the same gas as a file would."""

import numpy as np
import pytest
from astropy import units as u

from icmass.errors import InputError, NoPhotonsError
from icmass.simulate.readers import gas_from_arrays, load_gas
from tests.helpers.snapshots import COSMOLOGY, make_truth, write_gadget_hdf5


@pytest.fixture
def fields(truth):
    """All fields of the cluster, as bare numbers in the documented units."""
    gas = truth.gas
    return {
        "position": gas["position"],
        "velocity": gas["velocity"],
        "mass": gas["mass"],
        "density": (gas["density"] * u.Msun / u.kpc**3).to_value("g/cm3"),
        "kt": gas["kt"],
        "metallicity": gas["metals"] / gas["hydrogen"] / 0.02741,
        "electron_abundance": gas["electrons"],
        "smoothing": gas["support"],
        "center": truth.center_kpc,
        "cosmology": COSMOLOGY,
    }


def test_arrays_equal_a_file(fields, tmp_path):
    alone = make_truth(dark_count=0)
    path = write_gadget_hdf5(tmp_path / "s.hdf5", alone)
    density = (alone.gas["density"] * u.Msun / u.kpc**3).to_value("g/cm3")
    fields.update(mass=alone.gas["mass"], density=density)
    from_file = load_gas(path, center=alone.center_kpc)
    gas = gas_from_arrays(**fields, redshift=0.25, box=alone.box_kpc, source="mine")
    for name in gas.array_names():
        expected = getattr(from_file, name)
        assert getattr(gas, name) == pytest.approx(expected, rel=1e-5, abs=0.01)
    assert gas.info.redshift == 0.25
    assert gas.info.source == "mine"
    assert gas.info.cosmology is COSMOLOGY


@pytest.mark.parametrize(("times_cosmic", "repeats"), [(0.16, True), (100.0, False)])
def test_full_box_of_a_distant_epoch_repeats(times_cosmic, repeats):
    """Its gas is as dense as that of the universe then; a piece cut out is denser."""
    box_kpc, redshift = 1e4, 2.0
    critical = COSMOLOGY.critical_density0.to_value("Msun/kpc3")
    cosmic = critical * COSMOLOGY.Om0 * (box_kpc * (1 + redshift)) ** 3
    across = np.random.default_rng(5).uniform(-100.0, 100.0, (64, 3))
    gas = gas_from_arrays(
        position=across % box_kpc,
        mass=times_cosmic * cosmic / 64,
        density=1e-26,
        kt=5.0,
        center=[0.0, 0.0, 0.0],
        radius=500.0,
        box=box_kpc,
        redshift=redshift,
        cosmology=COSMOLOGY,
    )
    assert (len(gas) == 64) == repeats


def test_quantities_and_bare_numbers_agree(fields, truth):
    """The units of the docstring."""
    bare = gas_from_arrays(**fields)
    given = dict(fields)
    for name, unit, other in (
        ("position", "kpc", "Mpc"),
        ("velocity", "km/s", "cm/s"),
        ("mass", "Msun", "g"),
        ("density", "g/cm3", "kg/m3"),
        ("kt", "keV", "erg"),
        ("metallicity", "", ""),
        ("electron_abundance", "", ""),
        ("smoothing", "kpc", "cm"),
        ("center", "kpc", "pc"),
    ):
        given[name] = u.Quantity(fields[name], unit).to(other)
    converted = gas_from_arrays(**given)
    for name in bare.array_names():
        assert getattr(converted, name) == pytest.approx(getattr(bare, name), rel=1e-9, abs=1e-6)
    assert bare.emission_measure_cm3 == pytest.approx(truth.emission_measure(), rel=1e-7)


def test_three_ways_to_say_how_hot(fields, truth):
    kt = fields.pop("kt")
    kelvin = gas_from_arrays(**fields, temperature=kt * 1.160451812e7 * u.K)
    energy = gas_from_arrays(**fields, internal_energy=truth.internal_energy())
    assert kelvin.kt_kev == pytest.approx(kt, rel=1e-7)
    assert energy.kt_kev == pytest.approx(kt, rel=1e-7)
    bare = {name: v for name, v in fields.items() if name != "electron_abundance"}
    cold = gas_from_arrays(**bare, internal_energy=truth.internal_energy())
    mu = 4 / (1 + 3 * 0.76 + 4 * 0.76 * truth.gas["electrons"])
    assert cold.kt_kev == pytest.approx(kt * 4 / (3 + 5 * 0.76) / mu, rel=1e-7)


def test_electron_density_instead_of_density(fields, truth):
    """N_e n_H V with n_H = n_e / x_e: not n_e n_p of another composition."""
    density = fields.pop("density") * u.g / u.cm**3
    n_e = (density / (1 * u.M_p) * 0.76 * truth.gas["electrons"]).to("cm-3")
    gas = gas_from_arrays(**fields, electron_density=n_e)
    assert gas.emission_measure_cm3 == pytest.approx(truth.emission_measure(), rel=1e-7)


def test_defaults(fields):
    bare = {name: fields[name] for name in ("position", "mass", "density", "kt", "cosmology")}
    gas = gas_from_arrays(**bare)
    assert set(gas.metallicity_solar) == {0.3}
    assert np.abs(gas.velocity_kms).max() == 0
    volume = fields["mass"] / (fields["density"] * u.g / u.cm**3).to_value("Msun/kpc3")
    assert gas.smoothing_kpc == pytest.approx(2 * np.cbrt(3 * volume / (4 * np.pi)), rel=1e-7)
    assert gas.info.redshift is None
    assert np.abs(gas.position_kpc.mean(axis=0)).max() < 400  # a sphere of 100 of 600


def test_single_numbers_stand_for_all(fields):
    fields.update(kt=5.0 * u.keV, metallicity=0.4, mass=2e11)
    gas = gas_from_arrays(**fields, radius=1 * u.Mpc)
    assert set(np.round(gas.kt_kev, 12)) == {5.0}
    assert set(np.round(gas.metallicity_solar, 12)) == {0.4}
    assert gas.radius_kpc().max() <= 1000


def test_star_forming_gas_is_left_out(fields):
    rate = np.zeros(600)
    rate[:9] = 1.0
    gas = gas_from_arrays(**fields, star_formation_rate=rate * u.Msun / u.yr)
    assert len(gas) == 591


def test_input_is_not_changed(fields):
    before = {name: np.array(v) for name, v in fields.items() if name != "cosmology"}
    gas_from_arrays(**fields)
    for name, values in before.items():
        assert np.array_equal(fields[name], values)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"position": np.zeros((4, 2))}, r"position: must have shape \(n, 3\) with n > 0; got"),
        ({"position": np.zeros((0, 3))}, r"position: must have shape \(n, 3\) with n > 0"),
        (
            {"mass": np.ones(3)},
            r"mass: must have shape \(600,\), one entry per position; got \(3,\)",
        ),
        ({"velocity": np.ones(600)}, r"velocity: must have shape \(600, 3\)"),
        ({"mass": np.ones(600) * u.s}, "mass: must be convertible to Msun; got unit 's'"),
        ({"kt": None}, "temperature, kt, internal_energy: exactly one must be given; got none"),
        ({"temperature": 1e8}, "exactly one must be given; got .*'temperature', 'kt'"),
        ({"electron_density": 1e-3}, "density, electron_density: exactly one must be given"),
        ({"kt": np.full(600, -1.0)}, "'temperature' must not be negative"),
        ({"mass": np.full(600, np.nan)}, "'mass' of particle type 0 must be finite; 600 of 600"),
        ({"density": 1e3}, "median gas density must be .*Give astropy quantities"),
        ({"kt": 1e4}, "temperatures must be below 1e.10 K"),
        ({"hydrogen_fraction": 1.2}, "'hydrogen_fraction' must be at most 1"),
    ],
)
def test_refusals(change, match, fields):
    with pytest.raises(InputError, match=match) as caught:
        gas_from_arrays(**{**fields, **change})
    assert "\n" not in str(caught.value)


def test_nothing_left(fields):
    with pytest.raises(NoPhotonsError, match=r"left at 'hotter than 1e.09 K'"):
        gas_from_arrays(**fields, min_temperature_k=1e9)
