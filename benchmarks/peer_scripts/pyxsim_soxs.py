"""One case of pyXSIM and SOXS: seconds per stage, peak memory, and what was detected.

Runs in the environment of the peers, with one argument: a JSON object with `folder` (the exchanged
files, see `exchange.py`), `gas` (name of the gas file in it), `exposure_s`, `repeat`, `redshift`,
`nh_cm2`, `cosmology` (h, Omega_m), `field_arcsec`, `ring_arcsec`. Prints one JSON object.

pyXSIM's line of sight points at the observer and its x to the west, so the gas is turned by half a
circle about y. Its kernel is uniform in radius out to half of yt's smoothing length; that length is
set so that both kernels spread light by the same second moment. Emission measures are given, not
derived, which spares the peers work. No background, no dither, positions finer than a pixel.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

# Variance per axis of the projected cubic spline, in units of its support radius squared, and of
# pyXSIM's kernel, in units of yt's smoothing length squared: (1/2)^2 / 6.
SPLINE_VARIANCE = 3.0 / 40.0
PEER_VARIANCE = 1.0 / 24.0
ENERGY_BINS = 1000
PIXEL_ARCSEC = 9.6
CENTER_DEG = (150.0, 2.0)
# SOXS loses events without a word if photons were drawn for less than the largest area.
AREA_MARGIN = 1.2


def dataset(job: dict[str, Any]) -> Any:
    """Give the gas to yt."""
    import yt

    with np.load(job["gas"], allow_pickle=False) as gas:
        position = gas["position_kpc"] * [-1.0, 1.0, -1.0]
        velocity = gas["velocity_kms"] * [-1.0, 1.0, -1.0]
        smoothing = gas["smoothing_kpc"] * np.sqrt(SPLINE_VARIANCE / PEER_VARIANCE)
        kelvin = yt.YTQuantity(1.0, "keV").to_value("K", "thermal")
        fields = {
            ("io", "particle_mass"): (gas["mass_msun"], "Msun"),
            ("io", "density"): (gas["density_msun_kpc3"], "Msun/kpc**3"),
            ("io", "smoothing_length"): (smoothing, "kpc"),
            ("io", "temperature"): (gas["kt_kev"] * kelvin, "K"),
            ("io", "metallicity"): (gas["metallicity_solar"], "Zsun"),
            ("io", "emission_measure"): (gas["emission_measure_cm3"], "cm**-3"),
        }
    for k, axis in enumerate("xyz"):
        fields["io", f"particle_position_{axis}"] = (position[:, k].copy(), "kpc")
        fields["io", f"particle_velocity_{axis}"] = (velocity[:, k].copy(), "km/s")
    reach = 1.01 * np.abs(position).max()
    made = yt.load_particles(
        fields,
        length_unit=(1.0, "kpc"),
        mass_unit=(1.0, "Msun"),
        velocity_unit=(1.0, "km/s"),
        bbox=np.array([[-reach, reach]] * 3),
        periodicity=(False, False, False),
    )
    made.index  # noqa: B018 - yt sorts the particles here
    return made


def register_telescope(job: dict[str, Any]) -> float:
    """Tell SOXS of the telescope; return the largest effective area in cm^2."""
    import soxs

    pixels = round(job["field_arcsec"] / PIXEL_ARCSEC)
    soxs.add_instrument_to_registry(
        {
            "name": "exchanged",
            "arf": "area.arf",
            "rmf": "response.rmf",
            "bkgnd": None,
            "fov": pixels * PIXEL_ARCSEC / 60.0,
            "num_pixels": pixels,
            "aimpt_coords": [0.0, 0.0],
            "chips": [["Box", 0, 0, pixels, pixels]],
            "focal_length": 1.6,
            "dither": False,
            "psf": ["eef", "psf.fits", 1],
            "imaging": True,
            "grating": False,
        }
    )
    return float(soxs.AuxiliaryResponseFile("area.arf").max_area)


def run_once(job: dict[str, Any], gas: Any, area_cm2: float, seed: int) -> dict[str, Any]:
    """Run the three stages once; seconds of each."""
    import pyxsim
    import soxs
    from yt.utilities.cosmology import Cosmology

    h, omega_m = job["cosmology"]
    low, high = soxs.AuxiliaryResponseFile("area.arf").ebins[[0, -1]]
    source = pyxsim.CIESourceModel(
        "apec",
        float(low),
        float(high),
        ENERGY_BINS,
        ("io", "metallicity"),
        binscale="log",
        temperature_field=("io", "temperature"),
        emission_measure_field=("io", "emission_measure"),
        prng=3 * seed,
    )
    cosmology = Cosmology(hubble_constant=h, omega_matter=omega_m, omega_lambda=1.0 - omega_m)
    marks, busy = [time.perf_counter()], time.process_time()
    pyxsim.make_photons(
        "photons", gas.all_data(), job["redshift"], AREA_MARGIN * area_cm2, job["exposure_s"],
        source, center=gas.arr([0.0] * 3, "kpc"), cosmology=cosmology,
    )  # fmt: skip
    marks.append(time.perf_counter())
    pyxsim.project_photons(
        "photons", "projected", "z", CENTER_DEG,
        absorb_model="wabs", nH=job["nh_cm2"] / 1e22, prng=3 * seed + 1,
    )  # fmt: skip
    marks.append(time.perf_counter())
    soxs.instrument_simulator(
        "projected.h5", f"events_{seed}.fits", job["exposure_s"], "exchanged", CENTER_DEG,
        overwrite=True, instr_bkgnd=False, foreground=False, ptsrc_bkgnd=False,
        no_dither=True, subpixel_res=True, prng=3 * seed + 2,
    )  # fmt: skip
    marks.append(time.perf_counter())
    seconds = dict(zip(("make", "project", "detect"), np.diff(marks).tolist(), strict=True))
    return {**seconds, "total": marks[-1] - marks[0], "cpu": time.process_time() - busy}


def detected(seed: int, ring_arcsec: list[float]) -> dict[str, Any]:
    """Counts per channel and per ring of one event file."""
    from astropy.io import fits

    with fits.open(f"events_{seed}.fits") as file:
        table = file["EVENTS"]
        x, y = table.data["X"], table.data["Y"]
        header = table.header
        channel = table.data["PI"] - header["TLMIN4"]
        n_channel = header["TLMAX4"] - header["TLMIN4"] + 1
        scale = 3600.0 * header["TCDLT3"]
        radius = scale * np.hypot(x - header["TCRPX2"], y - header["TCRPX3"])
    return {
        "events": len(radius),
        "channels": np.bincount(channel, minlength=n_channel).tolist(),
        "rings": np.histogram(radius, ring_arcsec)[0].tolist(),
    }


def peak_mb() -> float:
    """Largest resident memory of this process so far, imports included.

    Linux only. `getrusage` would also count the parent's memory, from before this program began.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def main() -> None:
    """Run the case `repeat` times and print what was measured."""
    job = json.loads(sys.argv[1])
    os.chdir(job["folder"])
    start = time.perf_counter()
    import h5py
    import pyxsim
    import soxs
    import yt
    from served_table import serve

    imported = time.perf_counter()
    for log in (yt.mylog, soxs.utils.mylog, pyxsim.utils.mylog):
        log.setLevel("ERROR")
    serve("table.npz")
    area_cm2 = register_telescope(job)
    begin = time.perf_counter()
    gas = dataset(job)
    indexed = time.perf_counter()
    runs, peak = [], 0.0
    for seed in range(job["repeat"]):
        seconds = run_once(job, gas, area_cm2, seed)
        peak = peak or peak_mb()
        runs.append({"seconds": seconds, **detected(seed, job["ring_arcsec"])})
    with h5py.File("photons.h5") as photons:
        distance_mpc = float(photons["parameters"]["fid_d_a"][()])
    versions = {module.__name__: module.__version__ for module in (pyxsim, soxs, yt)}
    print(
        json.dumps(
            {
                "import_s": imported - start,
                "index_s": indexed - begin,
                "peak_mb": peak,
                "distance_mpc": distance_mpc,
                "versions": versions,
                "runs": runs,
            }
        )
    )


if __name__ == "__main__":
    main()
