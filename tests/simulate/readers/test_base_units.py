"""Code units: what a user may say, and how powers combine."""

import pytest
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from icmass.simulate.readers.base_units import FIELDS, gadget_units, override_units

positive = st.floats(1e-3, 1e3)


@given(positive, positive, positive, st.floats(0.05, 1.0))
def test_powers_of_base_units_combine(length, mass, velocity, a):
    base = override_units(
        gadget_units(0.7), {"length": length, "mass": mass, "velocity": velocity}, 0.7
    )
    assert base.factor(FIELDS["position"], a) == pytest.approx(a * length)
    assert base.factor(FIELDS["density"], a) == pytest.approx(mass / (a * length) ** 3)
    assert base.factor(FIELDS["velocity"], a) == pytest.approx(velocity * a**0.5)
    assert base.factor(FIELDS["internal_energy"], a) == pytest.approx(velocity**2)


@given(st.floats(0.4, 1.0))
def test_ways_to_write_a_unit_agree(hubble):
    reference = gadget_units(hubble)
    for length in ("kpc/h", "kpc / h", "1e-3 Mpc/h", 1 / hubble, 1 / hubble * u.kpc):
        base = override_units(reference, {"length": length}, hubble)
        assert base.length_kpc == pytest.approx(1 / hubble)
    for mass in ("1e10 Msun/h", "1.0e10 solMass / h", 1e10 / hubble):
        assert override_units(reference, {"mass": mass}, hubble).mass_msun == pytest.approx(
            1e10 / hubble
        )
    assert override_units(reference, {"velocity": "cm/s"}, hubble).velocity_kms == 1e-5
    assert override_units(reference, None, hubble) is reference
    # negative control: h forgotten
    assert override_units(reference, {"length": "kpc"}, hubble).length_kpc == 1
