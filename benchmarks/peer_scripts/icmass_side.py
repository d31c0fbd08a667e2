"""What ICMass does in the comparison with its peers: writes what is exchanged, runs its own case.

Runs in the environment of ICMass, with one argument: a JSON object whose `do` names a function of
this file; the rest is passed to it. Prints one JSON object. Everything goes through plain files:

- `gas_N.npz`: the gas of the throughput benchmark with N particles
- `table.npz`: the plasma table at rest
- `area.arf`, `response.rmf`: the response, OGIP
- `psf.fits`: encircled energy of the point-spread function, for SOXS

The telescope has no vignetting, for SOXS has none: the response is used as it stands over a square
field ("survey"), also where it is a real one on axis.
"""

import json
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

REDSHIFT = 0.1
NH_CM2 = 1e20
PSF_POINTS = 2001
WARM_UP_PARTICLES = 1000
# One emitting plasma, for Sherpa.
PLASMA_KT_KEV, PLASMA_METALS, PLASMA_MEASURE_CM3, PLASMA_EXPOSURE_S = 6.0, 0.3, 1e67, 1000.0


def prepare(
    folder: str, particles: list[int], arf: str | None = None, rmf: str | None = None
) -> dict[str, Any]:
    """Write the exchanged files; returns what both sides must know and files cannot tell."""
    from astropy.io import fits
    from throughput import beta_model, telescope

    from icmass.simulate import SpectralTable
    from icmass.simulate.instrument.ogip_write import write_arf, write_rmf

    place = Path(folder)
    mode = "pointed" if arf and rmf else "survey"
    instrument = telescope(arf, rmf)
    for count in particles:
        gas = beta_model(count)
        arrays = {name: getattr(gas, name) for name in gas.array_names()}
        support_kpc3 = 4.0 / 3.0 * np.pi * gas.smoothing_kpc**3  # holds 48 neighbours
        density = 48.0 * gas.mass_msun / support_kpc3
        np.savez(place / f"gas_{count}.npz", density_msun_kpc3=density, **arrays)
    table = SpectralTable.load()
    np.savez(place / "table.npz", edges_kev=table.edges_kev, kt_kev=table.kt_kev,
             base=table.base, metal=table.metal)  # fmt: skip
    response, psf = instrument.response(mode), instrument.psf(mode)
    write_arf(place / "area.arf", response, overwrite=True)
    write_rmf(place / "response.rmf", response.redistribution, overwrite=True)
    radius = np.concatenate([[0.0], np.geomspace(0.01, psf.max_radius_arcsec, PSF_POINTS - 1)])
    columns = [
        fits.Column("psfrad", "D", "arcsec", array=radius),
        fits.Column("eef", "D", array=psf.encircled(radius)),
    ]
    fits.BinTableHDU.from_columns(columns, name="EEF").writeto(place / "psf.fits", overwrite=True)
    cosmology = gas.info.cosmology
    return {
        "mode": mode,
        "response": "embedded survey average" if mode == "survey" else Path(arf or "").name,
        "redshift": REDSHIFT,
        "nh_cm2": NH_CM2,
        "cosmology": [float(cosmology.h), float(cosmology.Om0)],
        "distance_mpc": float(cosmology.angular_diameter_distance(REDSHIFT).value),
    }


def read_instrument(folder: Path, mode: str) -> Any:
    """Return the telescope of the exchanged files, without vignetting."""
    from icmass.simulate import Instrument

    made = Instrument.from_ogip(
        arf=folder / "area.arf", rmf=folder / "response.rmf", like="erosita", mode=mode
    )
    return replace(made, responses={"survey": made.response(mode)}, psfs={"survey": made.psf(mode)})


def flat(cosmology: list[float]) -> Any:
    """Return the flat universe of h and Omega_m."""
    from astropy.cosmology import FlatLambdaCDM

    h, omega_m = cosmology
    return FlatLambdaCDM(100.0 * h, omega_m)


def read_gas(path: Path, cosmology: list[float], first: int | None = None) -> Any:
    """Return the gas of an exchanged file."""
    from icmass.simulate import Gas, GasInfo

    info = GasInfo("beta model", "icmass", flat(cosmology), redshift=REDSHIFT)
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name][:first] for name in Gas.array_names()}
    return Gas(**arrays, info=info)


def unfolded(instrument: Any) -> Any:
    """Return a copy for which nothing is kept yet: spectra and matrices are kept by identity."""
    response = instrument.response("survey")
    fresh = replace(response, redistribution=replace(response.redistribution))
    return replace(instrument, responses={"survey": fresh})


def stages(
    gas: Any, instrument: Any, exposure_s: float, width_arcsec: float, seed: int
) -> dict[str, float]:
    """Seconds of placing and folding, and of drawing: from gas to events in memory."""
    from icmass.simulate import SpectralTable
    from icmass.simulate.photons.draw import draw_events
    from icmass.simulate.photons.gas_component import gas_component
    from icmass.simulate.view import View

    view = View(150.0, 2.0, "survey", width_arcsec)
    marks, busy = [time.perf_counter()], time.process_time()
    light = gas_component(
        gas, view, instrument, redshift=REDSHIFT, nh_cm2=NH_CM2, table=SpectralTable.load()
    )
    marks.append(time.perf_counter())
    events = draw_events([light], view, instrument, exposure_s, seed)
    marks.append(time.perf_counter())
    cpu = time.process_time() - busy
    del events
    fold, draw = np.diff(marks).tolist()
    return {"fold": fold, "draw": draw, "total": fold + draw, "cpu": cpu}


def detected(observation: Any, ring_arcsec: list[float]) -> dict[str, Any]:
    """Counts per channel and per ring, and the counts expected."""
    from agreement import spectrum_pair

    events = observation.events
    radius = np.hypot(events.east_arcsec.astype(float), events.north_arcsec.astype(float))
    channels, expected = spectrum_pair(observation)
    return {
        "events": len(events),
        "expected": float(expected.sum()),
        "channels": channels.tolist(),
        "rings": np.histogram(radius, ring_arcsec)[0].tolist(),
    }


def run(
    folder: str, gas: str, exposure_s: float, repeat: int, setting: dict[str, Any],
    field_arcsec: float, ring_arcsec: list[float],
) -> dict[str, Any]:  # fmt: skip
    """Draw the gas `repeat` times: seconds, peak memory and what was detected.

    `total` is from gas to events in memory; `observe` is the public call, which also measures the
    gas (luminosities, temperatures); `write` is the event file.
    """
    begin = time.perf_counter()
    import numba

    import icmass
    from icmass.simulate import observe
    from icmass.simulate.products.event_file import write_events

    imported = time.perf_counter()
    place = Path(folder)
    instrument = read_instrument(place, setting["mode"])

    def look(at: Any, seed: int) -> Any:
        return observe(
            at, unfolded(instrument), redshift=REDSHIFT, exposure=exposure_s, nh=NH_CM2,
            seed=seed, mode="survey", width=field_arcsec / 3600.0, sky=(),
        )  # fmt: skip

    few = read_gas(place / gas, setting["cosmology"], WARM_UP_PARTICLES)
    start = time.perf_counter()
    look(few, 0)
    warm_s = time.perf_counter() - start
    cluster = read_gas(place / gas, setting["cosmology"])
    runs, peak, file_peak = [], 0.0, 0.0
    for seed in range(repeat):
        marks = stages(cluster, unfolded(instrument), exposure_s, field_arcsec, seed)
        peak = peak or peak_mb()
        start = time.perf_counter()
        observation = look(cluster, seed)
        marks["observe"] = time.perf_counter() - start
        path = place / "icmass_events.fits"
        path.unlink(missing_ok=True)
        start = time.perf_counter()
        write_events(observation, path)
        marks["write"] = time.perf_counter() - start
        file_peak = file_peak or peak_mb()
        runs.append({"seconds": marks, **detected(observation, ring_arcsec)})
        del observation
    return {
        "import_s": imported - begin,
        "warm_up_s": warm_s,
        "peak_mb": peak,
        "peak_with_file_mb": file_peak,
        "versions": {module.__name__: module.__version__ for module in (icmass, numba)},
        "runs": runs,
    }


def plasma(folder: str, setting: dict[str, Any]) -> dict[str, Any]:
    """Write one spectrum of plasma for Sherpa, and what ICMass makes of it.

    `counts` are those of `Response.fold`; `drawn` those around which photons are drawn.
    """
    from agreement import spectrum_pair

    from icmass.simulate import Gas, GasInfo, observe
    from icmass.simulate.constants import CM_PER_KPC
    from icmass.simulate.emission import cie_spectrum

    place = Path(folder)
    instrument = read_instrument(place, setting["mode"])
    response = instrument.response("survey")
    cosmology = flat(setting["cosmology"])
    away_cm = 1e3 * CM_PER_KPC * float(cosmology.comoving_transverse_distance(REDSHIFT).value)
    norm = PLASMA_MEASURE_CM3 / (4.0 * np.pi * away_cm**2) / 1e14
    photons = cie_spectrum(response.redistribution.energy_edges_kev, PLASMA_KT_KEV, PLASMA_METALS,
                           redshift=REDSHIFT, norm=norm, nh=NH_CM2)  # fmt: skip
    one = np.ones(1)
    gas = Gas(np.zeros((1, 3)), np.zeros((1, 3)), PLASMA_KT_KEV * one, PLASMA_METALS * one,
              PLASMA_MEASURE_CM3 * one, one, 0.0 * one,
              GasInfo("plasma", "icmass", cosmology, redshift=REDSHIFT))  # fmt: skip
    seen = observe(gas, instrument, exposure=PLASMA_EXPOSURE_S, nh=NH_CM2, mode="survey", sky=())
    np.savez(
        place / "plasma.npz",
        photons=photons,
        exposure_s=PLASMA_EXPOSURE_S,
        area_cm2=response.area_cm2,
        counts=PLASMA_EXPOSURE_S * response.fold(photons),
        drawn=spectrum_pair(seen)[1],
    )
    return {}


def peak_mb() -> float:
    """Largest resident memory of this process so far, imports included, as for the peers."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def main() -> None:
    """Do what the argument asks for and print what came out."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    job = json.loads(sys.argv[1])
    todo = {"prepare": prepare, "plasma": plasma, "run": run}[job.pop("do")]
    warnings.simplefilter("ignore")
    print(json.dumps(todo(**job)))


if __name__ == "__main__":
    main()
