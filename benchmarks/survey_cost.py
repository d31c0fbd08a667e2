"""What half the sky costs, reckoned from some of its tiles, and whether cost is linear in area.

The whole plan of the preset is made (footprint, exposure, column, light cone), then tiles drawn at
random among all of them; their time per deg^2 gives that of the whole. Memory is that of this one
process, plan included; a worker needs as much.

    python benchmarks/survey_cost.py DIR [--preset erass1-de] [--tiles 12] [--seed 0] [--json FILE]
"""

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

from icmass.config import SurveyConfig
from icmass.simulate.survey.make_tile import make_tile
from icmass.simulate.survey.plan import TILES, make_plan, open_plan, write_plan


def main() -> None:
    """Make the plan and some tiles, and print what they cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--preset", default="erass1-de")
    parser.add_argument("--tiles", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    place = options.directory.resolve()
    (place / TILES).mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    plan = make_plan(SurveyConfig.parse({"preset": options.preset, "seed": options.seed}), place)
    write_plan(plan)
    planned = time.monotonic() - begun
    begun = time.monotonic()
    plan = open_plan(place)
    plan.reach_deg  # noqa: B018 (worked out once, by each worker)
    opened = time.monotonic() - begun
    chosen = np.random.default_rng(options.seed).permutation(len(plan.tiles))[: options.tiles]
    values = {
        "preset": options.preset,
        "area_deg2": round(plan.conditions.footprint.area_deg2, 1),
        "tiles": len(plan.tiles),
        "haloes": len(plan.light_cone),
        "plan_s": round(planned, 1),
        "open_s": round(opened, 1),
        "peak_mb_after_plan": peak_mb(),
    } | tiles(place, [plan.tiles[number].number for number in chosen])
    values["peak_mb"] = peak_mb()
    print(json.dumps(values, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(values, indent=1) + "\n")


def tiles(place: Path, numbers: list[int]) -> dict[str, Any]:
    """Make tiles one after the other in this process, on one core."""
    plan = open_plan(place)
    rows = []
    for number in numbers:
        begun = time.monotonic()
        record = make_tile(place, plan.fingerprint, number)
        rows.append((record.area_deg2, record.events, time.monotonic() - begun, peak_mb()))
        print(
            f"{record.name}: {rows[-1][0]:.2f} deg^2, {rows[-1][1]:,} events, {rows[-1][2]:.1f} s"
        )
    area, events, seconds, memory = (np.array(column, float) for column in zip(*rows, strict=True))
    whole = area > 0.5 * area.max()  # of those cut by the rim little but the fixed cost is left
    times = plan.conditions.footprint.area_deg2 / area.sum()
    per_million = 1e6 * slope(events[whole], seconds[whole])
    return {
        "tiles_made": len(rows),
        "seconds_per_deg2": round(float(seconds.sum() / area.sum()), 3),
        "events_per_deg2": round(float(events.sum() / area.sum())),
        "core_hours_whole": round(float(times * seconds.sum() / 3600.0), 2),
        "events_whole": float(f"{times * events.sum():.3g}"),
        "seconds_per_million_more_events": round(float(per_million), 2),
        "memory_growth_mb_per_tile": round(slope(np.arange(len(memory)), memory), 2),
    }


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Slope of a straight line; NaN through a single point."""
    return float(np.polyfit(x, y, 1)[0]) if len(x) > 1 else float("nan")


def peak_mb() -> float:
    """Most memory that this process has held so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0, 1)


if __name__ == "__main__":
    main()
