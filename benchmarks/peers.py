"""ICMass beside pyXSIM with SOXS, and Sherpa: time, memory, and whether they agree.

The same gas (the beta model of `throughput.py`), plasma table, response, absorption (Morrison &
McCammon 1983, which is wabs), point-spread function and field go to all, by plain files. The peers
run offline in an environment of their own, every case in a process of its own, on one core, without
background; medians of several runs. Differences that are known:

- SOXS has no vignetting, so ICMass observes in survey mode, where it has none either: a square
  field and the response as it stands, also where `--arf` and `--rmf` are of the axis.
- The point-spread function is given to SOXS as a table of encircled energy: both have the same.
- pyXSIM spreads light around a particle with another kernel; second moments are made equal.
- yt's distances are 1e-4 short; the counts expected of the peers allow for it.
- Between temperature nodes (5% apart) pyXSIM is linear in kT, ICMass in ln kT: at 6 keV at most
  3e-5 in counts and 4e-4 in the spectrum.
- The peers draw photons twice, so their totals scatter more than Poisson (see
  `peer_scripts/compare.py`).
- The peers write files between stages and at the end; their time and memory hold that. "faster" is
  against ICMass from gas to events in memory, "in CPU" the same in CPU seconds, "observe" against
  its whole public call (which also measures luminosities and temperatures of the gas), "with file"
  against events in memory and then written to its event file.

Peak memory is resident, imports included, on both sides. Kernels of ICMass are compiled before;
what that costs once is printed, as are the imports and yt's indexing. Plasma and response are
folded anew in every run.

    python benchmarks/peers.py DIR [--repeat 3] [--arf F --rmf F] [--json FILE] [--markdown FILE]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from peer_scripts.compare import (
    compare_shapes,
    compare_totals,
    drawn_twice,
    folded_difference,
    stretched,
)
from peer_scripts.environment import make_environment
from peer_scripts.pyxsim_soxs import AREA_MARGIN, PIXEL_ARCSEC
from peer_scripts.tables import agreement_lines, markdown, text, timing_table

SCRIPTS = Path(__file__).parent / "peer_scripts"
CASES = [
    # particles, exposure [s]
    (100_000, 1_600.0),
    (100_000, 100_000.0),
    (1_000_000, 1_600.0),
    (1_000_000, 100_000.0),
]
COMPARED_S = 100_000.0
FIELD_ARCSEC = 384 * PIXEL_ARCSEC
RING_ARCSEC = np.linspace(0.0, 1200.0, 41)
ONE_CORE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SIDES = ("pyXSIM+SOXS", "ICMass")


class Machine:
    """Runs the scripts of both sides on one core, with caches of their own."""

    def __init__(self, folder: Path, kernels: Path, peers: Path) -> None:
        self.folder, self.peers = folder, peers
        own = {"XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "MPLCONFIGDIR": "config"}
        self._variables = {
            **os.environ,
            **dict.fromkeys(ONE_CORE, "1"),
            **{name: str(folder / place) for name, place in own.items()},
            "NUMBA_CACHE_DIR": str(kernels),
        }

    def ask(self, python: Path | str, script: str, argument: str) -> dict[str, Any]:
        """Run a script; return what it prints. SystemExit in one line if it fails."""
        done = subprocess.run(
            [str(python), str(SCRIPTS / script), argument],
            env=self._variables, check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise SystemExit(f"{script}: failed with status {done.returncode} ({said}).")
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    def icmass(self, do: str, **what: Any) -> dict[str, Any]:
        """Run a function of `icmass_side.py`."""
        job = {"do": do, "folder": str(self.folder), **what}
        return self.ask(sys.executable, "icmass_side.py", json.dumps(job))

    def both(
        self, particles: int, exposure_s: float, repeat: int, setting: dict[str, Any]
    ) -> dict[str, Any]:
        """Run one case on both sides."""
        case = {
            "gas": f"gas_{particles}.npz",
            "exposure_s": exposure_s,
            "repeat": repeat,
            "field_arcsec": FIELD_ARCSEC,
            "ring_arcsec": RING_ARCSEC.tolist(),
        }
        job = {**case, "folder": str(self.folder), **setting}
        theirs = self.ask(self.peers, "pyxsim_soxs.py", json.dumps(job))
        return dict(zip(SIDES, (theirs, self.icmass("run", setting=setting, **case)), strict=True))


def measured(particles: int, exposure_s: float, sides: dict[str, Any]) -> dict[str, Any]:
    """Medians of one case, and how many times faster ICMass is."""
    row: dict[str, Any] = {"particles": particles, "exposure_s": exposure_s}
    for name, side in sides.items():
        runs = side["runs"]
        seconds = {
            stage: statistics.median(run["seconds"][stage] for run in runs)
            for stage in runs[0]["seconds"]
        }
        events = statistics.mean(run["events"] for run in runs)
        kept = {key: value for key, value in side.items() if key not in ("runs", "versions")}
        row[name] = {
            **kept,
            "seconds": seconds,
            "events": events,
            "photons_per_s": events / seconds["total"],
        }
    theirs, ours = (row[name]["seconds"] for name in SIDES)
    row["faster"] = theirs["total"] / ours["total"]
    row["faster_cpu"] = theirs["cpu"] / ours["cpu"]
    row["faster_observe"] = theirs["total"] / ours["observe"]
    row["faster_with_file"] = theirs["total"] / (ours["total"] + ours["write"])
    return row


def agreement(
    particles: int, sides: dict[str, Any], setting: dict[str, Any], twice: float
) -> dict[str, Any]:
    """Counts, spectrum and profile of one case, all seeds together."""
    theirs, ours = (sides[name]["runs"] for name in SIDES)
    shorter = setting["distance_mpc"] / sides["pyXSIM+SOXS"]["distance_mpc"]
    found: dict[str, Any] = {"particles": particles, "seeds": len(ours), "counts": {}}
    expected = ours[0]["expected"]
    for name, runs, mean, variance in (
        ("ICMass", ours, expected, 1.0),
        ("pyXSIM+SOXS", theirs, expected * shorter**2, twice),
    ):
        counts = [run["events"] for run in runs]
        total = compare_totals(counts, mean, variance)
        found["counts"][name] = {
            **vars(total),
            "excess": total.excess,
            "sigma": total.sigma,
            "sigma_if_high": compare_totals(counts, 1.01 * mean, variance).sigma,
        }
    channel = np.arange(len(ours[0]["channels"]) + 1.0)
    for name, key, edges in (
        ("spectrum", "channels", channel),
        ("profile", "rings", RING_ARCSEC),
    ):
        here, there = (np.sum([run[key] for run in runs], axis=0) for runs in (ours, theirs))
        wrong = compare_shapes(stretched(here, edges, 1.01), there)
        found[name] = {**vars(compare_shapes(here, there)), "sigma_if_stretched": wrong.sigma}
    return found


def sherpa(machine: Machine, setting: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """Differences to Sherpa's folding, and variance over mean of counts drawn twice."""
    machine.icmass("plasma", setting=setting)
    versions = machine.ask(machine.peers, "sherpa_fold.py", str(machine.folder))["versions"]
    with np.load(machine.folder / "plasma.npz", allow_pickle=False) as plasma:
        ours = {name: plasma[name] for name in plasma.files}
    with np.load(machine.folder / "sherpa.npz", allow_pickle=False) as folded:
        counts = folded["counts"]
    fold = {
        "folded": folded_difference(ours["counts"], counts),
        "drawn": folded_difference(ours["drawn"], counts),
        "versions": versions,
    }
    return fold, drawn_twice(ours["photons"], ours["area_cm2"], AREA_MARGIN)


def processor() -> str:
    """Name of the processor and number of cores."""
    name = platform.processor() or platform.machine()
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        models = [line for line in listed.read_text().splitlines() if "model name" in line]
        name = models[0].split(":")[1].strip() if models else name
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def compare(machine: Machine, options: argparse.Namespace) -> dict[str, Any]:
    """Run everything; returns rows, agreement, one-off costs and versions."""
    begin = time.perf_counter()

    def tell(what: str) -> None:
        print(f"{time.perf_counter() - begin:5.0f} s  {what}", file=sys.stderr, flush=True)

    tell("writing gas, table and response")
    particles = sorted({count for count, _ in CASES})
    setting = machine.icmass("prepare", particles=particles, arf=options.arf, rmf=options.rmf)
    tell("compiling the kernels")
    first = machine.icmass(
        "run", gas=f"gas_{particles[0]}.npz", exposure_s=1_600.0, repeat=1, setting=setting,
        field_arcsec=FIELD_ARCSEC, ring_arcsec=RING_ARCSEC.tolist(),
    )  # fmt: skip
    tell("Sherpa")
    fold, twice = sherpa(machine, setting)
    rows, found = [], []
    versions = {"python": platform.python_version(), **fold.pop("versions")}
    for count, exposure_s in CASES:
        tell(f"{count:,} particles, {exposure_s / 1000:g} ks")
        sides = machine.both(count, exposure_s, options.repeat, setting)
        rows.append(measured(count, exposure_s, sides))
        versions |= sides["pyXSIM+SOXS"]["versions"] | sides["ICMass"]["versions"]
        if exposure_s == COMPARED_S:
            found.append(agreement(count, sides, setting, twice))
    tell("done")
    return {
        "machine": processor(),
        "versions": versions,
        "setting": setting,
        "repeat": options.repeat,
        "compile_s": first["warm_up_s"],
        "variance_over_mean_of_peers": twice,
        "rows": rows,
        "agreement": found,
        "sherpa": fold,
    }


def notes(result: dict[str, Any]) -> list[str]:
    """What the table does not say: costs that come once, machine, versions, agreement."""
    theirs, ours = (result["rows"][-1][name] for name in SIDES)
    return [
        f"medians of {result['repeat']}, one core; response: {result['setting']['response']}",
        f"once per process: peers import {theirs['import_s']:.1f} s, yt indexing "
        f"{theirs['index_s']:.1f} s; ICMass import {ours['import_s']:.1f} s, first call "
        f"{ours['warm_up_s']:.1f} s; once per installation: kernels {result['compile_s']:.1f} s",
        f"ICMass with its event file, last case: peak {ours['peak_with_file_mb']:,.0f} MB",
        *agreement_lines(result["agreement"], result["sherpa"]),
        f"machine: {result['machine']}",
        "versions: " + ", ".join(f"{name} {what}" for name, what in result["versions"].items()),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="for the peers' environment and all files")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--arf", help="real on-axis ARF in place of the embedded survey response")
    parser.add_argument("--rmf")
    parser.add_argument("--json", type=Path, help="also write the rows here")
    parser.add_argument("--markdown", type=Path, help="also write the table for the docs here")
    options = parser.parse_args()
    if bool(options.arf) != bool(options.rmf):
        parser.error("--arf and --rmf: must be given together.")
    if options.repeat < 1:
        parser.error(f"--repeat: must be at least 1; got {options.repeat}.")
    work = options.folder.resolve() / "work"
    work.mkdir(parents=True, exist_ok=True)
    python = make_environment(work.parent / "environment")
    with tempfile.TemporaryDirectory(dir=work, prefix="kernels") as kernels:
        result = compare(Machine(work, Path(kernels), python), options)
    table, lines = timing_table(result["rows"]), notes(result)
    print(text(table))
    print("\n".join(lines))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    if options.markdown:
        listed = "\n".join(f"- {line}" for line in lines)
        options.markdown.write_text(f"{markdown(table)}\n\n{listed}\n")


if __name__ == "__main__":
    main()
