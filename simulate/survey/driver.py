"""Make a survey tile by tile, or go on with one that was begun.

The driver plans, hands the tiles that are missing to workers, and in the end joins what they say of
them. A tile is a directory that appears whole; that is all that is needed to go on after whatever
ended a run.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icmass.catalog.lock import LOCK, DirectoryLock
from icmass.config import SurveyConfig
from icmass.errors import InputError, OutputError
from icmass.files import PARTIAL, check_output, clear_partial
from icmass.simulate.production import Progress
from icmass.simulate.production.tasks import as_finished
from icmass.simulate.survey.make_tile import TileRecord, make_tile, read_record
from icmass.simulate.survey.pictures import FIGURES
from icmass.simulate.survey.plan import (
    MANIFEST,
    PLAN_FILES,
    TILES,
    Plan,
    make_plan,
    write_plan,
)
from icmass.simulate.survey.summary import finish
from icmass.workers import open_workers, usable_cores

__all__ = ["Summary", "simulate_survey"]

# What a directory may hold whose plan was cut short.
_BEGUN = {TILES, LOCK, *PLAN_FILES}


@dataclass(frozen=True)
class Summary:
    """What a run has done.

    Attributes
    ----------
    directory : Path
        Of the survey, complete.
    values : dict
        Numbers of the survey and of this run, in values that JSON can hold.
    workers : str
        Who did it, for people.
    """

    directory: Path
    values: dict[str, Any]
    workers: str


def simulate_survey(
    config: SurveyConfig,
    directory: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Make the survey that a configuration asks for, or go on with it.

    Parameters
    ----------
    config : SurveyConfig
    directory : str or Path
        New, empty, or a survey that was begun with the same configuration.
    workers : int, optional
        Local processes, one per core by default.
    scheduler : str, optional
        Address of a dask scheduler whose workers take their place; they must see the directory.
    report : callable
        Called at the beginning and when a tile is finished.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        If the configuration cannot be met or is not that of the survey there, tiles of another
        survey lie there, or workers end before their work.
    OutputError
        If the directory cannot be used or another run writes into it.
    """
    begun = time.monotonic()
    place = _check_directory(Path(directory))
    if not (place / MANIFEST).exists():
        with open_workers(workers, scheduler):  # refuses those that cannot be had
            pass
    plan = make_plan(config, place)
    _open_directory(place)
    with DirectoryLock(place):
        write_plan(plan)
        done = _finished(plan)
        todo = [tile.number for tile in plan.tiles if tile.name not in done]
        total, before = len(plan.tiles), len(plan.tiles) - len(todo)
        report(Progress(total, before, before, 0, 0.0))
        if todo:
            with open_workers(workers, scheduler) as (executor, at_once):
                tasks = ((place, plan.fingerprint, number) for number in todo)
                for _, record in as_finished(executor, at_once, make_tile, tasks):
                    _require_here(plan, record, scheduler)
                    done[record.name] = record
                    seconds = time.monotonic() - begun
                    report(Progress(total, len(done), before, 0, seconds))
        values = finish(plan, [done[tile.name] for tile in plan.tiles], anew=bool(todo))
    values |= {"made": len(todo), "seconds": round(time.monotonic() - begun, 2)}
    return Summary(place, values, _who(workers, scheduler))


def _check_directory(directory: Path) -> Path:
    """Return the resolved place of a survey; refuse one that holds other things."""
    if not os.path.exists(directory):  # false too where the name is too long
        return check_output(directory, overwrite=None)
    place = directory.resolve()
    if not place.is_dir():
        raise OutputError(f"{directory}: must be a directory; got a file. Choose another name.")
    if not (place / MANIFEST).exists():
        others = sorted(
            entry.name
            for entry in place.iterdir()
            if entry.name not in _BEGUN and not entry.match(PARTIAL)
        )
        if others:
            raise OutputError(
                f"{directory}: must be new, empty or a survey; it holds '{others[0]}'. Choose "
                "another name."
            )
    return place


def _open_directory(place: Path) -> None:
    """Make the directory of a survey if it is missing."""
    try:
        (place / TILES).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{place}: cannot be written: {error.strerror}. Write to a directory that is yours."
        ) from error


def _finished(plan: Plan) -> dict[str, TileRecord]:
    """Return what is known of the tiles that are there; refuse tiles of another survey."""
    tiles = plan.directory / TILES
    clear_partial(plan.directory, tiles, plan.directory / FIGURES)
    found = {}
    names = {tile.name for tile in plan.tiles}
    for entry in sorted(tiles.iterdir()):
        record = read_record(entry)
        if record is None or record.fingerprint != plan.fingerprint or entry.name not in names:
            raise InputError(
                f"{plan.directory}: holds a tile of another survey, '{TILES}/{entry.name}'. Remove "
                "it, or choose another directory."
            )
        damage = record.damage(entry)
        if damage is not None:
            raise InputError(
                f"{plan.directory}: tile '{entry.name}' is damaged: {damage}. Remove "
                f"{TILES}/{entry.name}; it is then made again."
            )
        found[entry.name] = record
    return found


def _require_here(plan: Plan, record: TileRecord, scheduler: str | None) -> None:
    if read_record(plan.directory / TILES / record.name) is None:
        raise InputError(
            f"{plan.directory}: must be seen by all workers of {scheduler}; a tile that one wrote "
            "is not there. Write to a file system that they share."
        )


def _who(workers: int | None, scheduler: str | None) -> str:
    if scheduler is not None:
        return f"the workers of {scheduler}"
    count = usable_cores() if workers is None else workers
    return f"{count} worker{'s' if count > 1 else ''}"
