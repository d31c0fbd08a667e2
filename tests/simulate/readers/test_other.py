"""Formats that pynbody reads for us, by the example of Tipsy."""

import numpy as np
import pytest

from icmass.simulate.readers import load_gas
from tests.helpers.snapshots import make_truth


@pytest.mark.slow  # pynbody takes seconds to import
@pytest.mark.filterwarnings("ignore")  # its own
def test_tipsy(tmp_path):
    pynbody = pytest.importorskip("pynbody")
    truth = make_truth(redshift=0.0, fully_ionised=True)
    gas, dark = truth.gas, truth.dark
    box = truth.box_kpc
    new = pynbody.new(gas=len(gas["mass"]), dm=len(dark["mass"]))
    for family, part in ((new.gas, gas), (new.dm, dark)):
        family["pos"] = part["position"] / box - 0.5
        family["vel"] = part["velocity"] / np.sqrt(4.30092e-6 * 1e16 / box)
        family["mass"] = part["mass"] / 1e16
        family["eps"] = 1e-4
        family["phi"] = 0.0
    new.gas["rho"] = gas["density"] / 1e16 * box**3
    new.gas["temp"] = gas["kt"] / 8.617333e-08
    new.gas["metals"] = gas["metals"]
    new.properties["a"] = 1.0
    hubble = 0.070 / np.sqrt(4.30092e-6 * 1e16 / box**3)  # (km/s/kpc) in code units, G = 1
    path = tmp_path / "run.00001"
    new.write(filename=str(path), fmt=pynbody.snapshot.tipsy.TipsySnap)
    (tmp_path / "run.param").write_text(
        f"dKpcUnit = {box}\ndMsolUnit = 1e16\ndOmega0 = 0.3\ndLambda = 0.7\nbComove = 1\n"
        f"dHubble0 = {hubble}\n"
    )
    read = load_gas(path, radius=1e5)
    assert read.info.code == "pynbody TipsySnap"
    assert read.kt_kev == pytest.approx(gas["kt"], rel=1e-5)
    assert read.mass_msun == pytest.approx(gas["mass"], rel=1e-3)
    assert read.emission_measure_cm3 == pytest.approx(truth.emission_measure(), rel=3e-3)
    motion = gas["velocity"] - np.array(read.info.halo.velocity_kms)
    assert read.velocity_kms == pytest.approx(motion, abs=1.0)
    center = np.array(read.info.halo.center_kpc) + box / 2
    assert np.abs(center - truth.center_kpc).max() < 200
    assert read.info.halo.r500c_kpc == pytest.approx(truth.overdensity_radius(500), rel=0.02)
