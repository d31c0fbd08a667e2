"""Time and memory of the forward model against the floor of its work.

Each row runs in a process of its own, after a warm-up of all its kernels and tables; the median of
several runs is printed. The floor counts what cannot be avoided: twelve random numbers per event at
the measured cost of one, and one pass over the bytes of particles and events at the measured copy
speed.

    python benchmarks/throughput.py [--repeat 5] [--json FILE]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

CASES = [
    # particles, exposure [s], threads, sky
    (1_000_000, 1_600.0, 1, False),
    (1_000_000, 100_000.0, 1, False),
    (1_000_000, 100_000.0, 2, False),
    (1_000_000, 1_600.0, 1, True),
    (1_000_000, 100_000.0, 1, True),
    (200_000, 1_600.0, 1, False),
    (200_000, 100_000.0, 1, False),
]
BYTES_PER_PARTICLE = 11 * 8 + 6 * 4 + 8  # gas read, emitters written
BYTES_PER_EVENT = 48
RANDOM_NUMBERS_PER_EVENT = 12


def beta_model(n_particles: int) -> Any:
    """Make the cluster of the peers' comparison: beta model, rc 165 kpc, 6.5e13 Msun, 6 keV."""
    import numpy as np
    from astropy.cosmology import FlatLambdaCDM

    from icmass.simulate import Gas, GasInfo, Halo
    from icmass.simulate.constants import CM_PER_KPC, MSUN_G, PROTON_MASS_G

    rng = np.random.default_rng(1)
    r500_kpc, core_kpc, mass_msun = 1100.0, 165.0, 6.5e13
    grid = np.linspace(0.0, 2.0 * r500_kpc, 4000)
    density = (1.0 + (grid / core_kpc) ** 2) ** -1.0  # beta = 2/3
    enclosed = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(grid) * (
        4 * np.pi * (grid[1:] ** 2 * density[1:] + grid[:-1] ** 2 * density[:-1])))])  # fmt: skip
    unit = mass_msun / np.interp(r500_kpc, grid, enclosed)  # Msun / kpc^3
    radius = np.interp(rng.random(n_particles) * enclosed[-1], enclosed, grid)
    direction = rng.normal(size=(n_particles, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    mass = np.full(n_particles, unit * enclosed[-1] / n_particles)
    rho = unit * (1.0 + (radius / core_kpc) ** 2) ** -1.0
    hydrogen = 0.76 * rho * MSUN_G / CM_PER_KPC**3 / PROTON_MASS_G  # cm^-3
    volume = mass / rho * CM_PER_KPC**3  # cm^3
    cosmology = FlatLambdaCDM(67.74, 0.3089)
    nan = float("nan")
    halo = Halo((0.0,) * 3, (0.0,) * 3, 4.5e14, r500_kpc, nan, nan, total_mass=True)
    return Gas(
        radius[:, None] * direction,
        rng.normal(0.0, 300.0, (n_particles, 3)),
        rng.normal(6.0, 0.5, n_particles).clip(3.0),
        np.full(n_particles, 0.3),
        1.158 * hydrogen**2 * volume,
        mass,
        np.cbrt(3.0 * 48.0 * mass / (4.0 * np.pi * rho)),
        GasInfo("beta model", "icmass", cosmology, redshift=0.1, halo=halo),
    )


def telescope(arf: str | None, rmf: str | None) -> Any:
    """Return the embedded eROSITA, or one with real responses."""
    from icmass.simulate import Instrument

    if arf is None or rmf is None:
        return Instrument.load("erosita")
    return Instrument.from_ogip(arf=arf, rmf=rmf, like="erosita", mode="pointed")


def run_case(
    n_particles: int,
    exposure_s: float,
    threads: int,
    sky: bool,
    repeat: int,
    arf: str | None,
    rmf: str | None,
) -> dict[str, Any]:
    """Measure one case in this process."""
    import numba

    from icmass.simulate import SpectralTable
    from icmass.simulate.photons.draw import draw_events
    from icmass.simulate.photons.gas_component import gas_component
    from icmass.simulate.sky import SKY_COMPONENTS, sky_components
    from icmass.simulate.view import View

    numba.set_num_threads(threads)
    instrument, table = telescope(arf, rmf), SpectralTable.load()
    mode = instrument.modes[0]
    view = View(150.0, 2.0, mode, instrument.fov_diameter_deg * 3600.0)

    def once(gas: Any) -> int:
        light = gas_component(gas, view, instrument, redshift=0.1, nh_cm2=1e20, table=table)
        others, _ = sky_components(
            SKY_COMPONENTS if sky else (),
            view,
            instrument,
            redshift=0.1,
            nh_cm2=1e20,
            gas_info=gas.info,
            seed=1,
            agn_flux_limit=1e-15,
        )
        return len(draw_events([light, *others], view, instrument, exposure_s, 1))

    once(beta_model(1000))
    gas = beta_model(n_particles)
    seconds, events = [], 0
    for _ in range(repeat):
        start = time.perf_counter()
        events = once(gas)
        seconds.append(time.perf_counter() - start)
    gas_bytes = sum(getattr(gas, name).nbytes for name in gas.array_names())
    tracemalloc.start()
    once(gas)
    peak = gas_bytes + tracemalloc.get_traced_memory()[1]
    return {
        "particles": n_particles,
        "exposure_s": exposure_s,
        "threads": threads,
        "sky": sky,
        "events": events,
        "seconds": statistics.median(seconds),
        "fastest": min(seconds),
        "peak_bytes": peak,
    }


def machine_floor() -> dict[str, float]:
    """Seconds per random number and per byte copied, on one core."""
    import numba
    import numpy as np

    from icmass.simulate.photons.random_kernels import substream, uniform

    @numba.njit(nogil=True)
    def draw(key: Any, out: Any) -> None:
        start = substream(key, np.uint64(0))
        for k in range(out.shape[0]):
            out[k] = uniform(start, np.uint64(k))

    key, out = np.array([1, 2], dtype=np.uint64), np.empty(2_000_000)
    draw(key, out)
    source, target = np.ones(40_000_000), np.ones(40_000_000)
    return {
        "random_s": _fastest(lambda: draw(key, out)) / len(out),
        "byte_s": _fastest(lambda: np.copyto(target, source)) / (16 * len(source)),
    }


def _fastest(work: Any) -> float:
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def import_seconds() -> float:
    """Time that `import icmass` takes, over that of starting Python."""

    def start(code: str) -> float:
        return _fastest(lambda: subprocess.run([sys.executable, "-c", code], check=True))

    return start("import icmass") - start("pass")


def with_floor(row: dict[str, Any], floor: dict[str, float]) -> dict[str, Any]:
    """Add the floor of a case and the ratio of the measured time to it."""
    seconds = (
        row["particles"] * BYTES_PER_PARTICLE * floor["byte_s"]
        + row["events"] * RANDOM_NUMBERS_PER_EVENT * floor["random_s"]
        + row["events"] * BYTES_PER_EVENT * floor["byte_s"]
    ) / row["threads"]
    return {**row, "floor_s": seconds, "ratio": row["seconds"] / seconds}


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print the measured rows and what they say of memory."""
    print("particles exposure threads  sky    events  seconds Mevent/s  floor s ratio peak MB")
    for row in rows:
        print(
            f"{row['particles']:>9,} {row['exposure_s'] / 1000:>6.1f}ks {row['threads']:>7} "
            f"{'on' if row['sky'] else 'off':>4} {row['events']:>9,} {row['seconds']:>8.3f} "
            f"{row['events'] / row['seconds'] / 1e6:>8.2f} {row['floor_s']:>8.4f} "
            f"{row['ratio']:>5.1f} {row['peak_bytes'] / 1e6:>7.0f}"
        )
    short, long = rows[0], rows[1]
    more_events = long["events"] - short["events"]
    print(
        f"memory, gas included: {short['peak_bytes'] / short['particles']:.0f} bytes per particle, "
        f"{(long['peak_bytes'] - short['peak_bytes']) / more_events:.0f} per further event"
    )


def main() -> None:
    """Run every case in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--arf", help="real on-axis ARF in place of the embedded survey response")
    parser.add_argument("--rmf")
    parser.add_argument("--json", type=Path, help="also write the rows here")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        case = json.loads(options.case)
        print(json.dumps(run_case(*case, options.repeat, options.arf, options.rmf)))
        return
    floor = machine_floor()
    rows = []
    for case in CASES:
        command = [sys.executable, __file__, "--case", json.dumps(case)]
        command += ["--repeat", str(options.repeat)]
        if options.arf and options.rmf:
            command += ["--arf", options.arf, "--rmf", options.rmf]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(with_floor(json.loads(done.stdout), floor))
    print(f"import icmass: {import_seconds():.3f} s")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps({"floor": floor, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
