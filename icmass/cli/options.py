"""Options that several commands have, written once, and what is made of the words users give."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from icmass.errors import InputError

if TYPE_CHECKING:
    from icmass.config import Config
    from icmass.simulate.instrument import Instrument

__all__ = [
    "DEVICE",
    "INPUT",
    "OBSERVATION",
    "OUTPUT",
    "RUNNING",
    "UNITS_FORM",
    "UNITS_HELP",
    "AsJson",
    "ConfigFile",
    "Devices",
    "InstrumentName",
    "NoAgn",
    "NoBackground",
    "Overwrite",
    "Precision",
    "Repair",
    "RunDirectory",
    "Scheduler",
    "Seed",
    "TrainingWorkers",
    "Units",
    "Where",
    "Workers",
    "load_settings",
    "pairs",
    "telescope_of",
    "to_directory",
]

#: Groups of options, as --help shows them.
INPUT: Final = "Input"
OBSERVATION: Final = "Observation"
OUTPUT: Final = "Output"
RUNNING: Final = "Running"
DEVICE: Final = "Device (handed to Lightning, which does the training)"

UNITS_HELP: Final = (
    "Unit of the snapshot: length=Mpc/h, mass='1e10 Msun/h', velocity=km/s. May be repeated. "
    "[default: what its files say]"
)
#: What the words of --units look like, for errors.
UNITS_FORM: Final = "KIND=UNIT, such as length=Mpc/h"

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--config",
        metavar="FILE",
        help="YAML file of these and further settings; options win over it.",
        rich_help_panel=RUNNING,
    ),
]
InstrumentName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Telescope: a name (icmass instruments lists them), or a TOML file. "
        "[default: erosita]",
        rich_help_panel=OBSERVATION,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        help="Seed of all that is random: one seed, one result. [default: 0]",
        rich_help_panel=OBSERVATION,
    ),
]
Units = Annotated[
    list[str] | None,
    typer.Option(metavar="KIND=UNIT", help=UNITS_HELP, rich_help_panel=INPUT),
]
NoBackground = Annotated[
    bool,
    typer.Option(
        "--no-background",
        help="Leave out particles, Galactic foreground and unresolved AGN.",
        rich_help_panel=OBSERVATION,
    ),
]
NoAgn = Annotated[
    bool,
    typer.Option(
        "--no-agn",
        help="Draw no active galaxies (AGN) as sources.",
        rich_help_panel=OBSERVATION,
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="Take only clusters for which this holds: detected, 'redshift < 0.3', 'flags lacks "
        "BLENDED'. May be repeated.",
        rich_help_panel=INPUT,
    ),
]
Devices = Annotated[
    str | None,
    typer.Option(metavar="N", help="How many, or auto. [default: auto]", rich_help_panel=DEVICE),
]
Precision = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of numbers, such as bf16-mixed. [default: 32-true]",
        rich_help_panel=DEVICE,
    ),
]
TrainingWorkers = Annotated[
    int | None,
    typer.Option(
        help="Folds trained at once. [default: one per core, on GPUs one]",
        rich_help_panel=RUNNING,
    ),
]
RunDirectory = Annotated[
    Path, typer.Argument(metavar="RUN", help="Directory of the estimator (icmass train).")
]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Processes on this machine. [default: one per core]", rich_help_panel=RUNNING
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Scheduler of a dask cluster, such as tcp://host:8786, whose workers do the work.",
        rich_help_panel=RUNNING,
    ),
]
Repair = Annotated[
    bool,
    typer.Option(
        "--repair",
        help="Make shards (files of the catalog) again that are damaged, missing or foreign.",
        rich_help_panel=OUTPUT,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Replace what icmass wrote there before.", rich_help_panel=OUTPUT
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print numbers as JSON, for programs.", rich_help_panel=OUTPUT),
]

C = TypeVar("C", bound="Config")


def to_directory(what: str, metavar: str = "DIR") -> Any:
    """Return the option ``-o``, whose help is `what`, for a directory called `metavar` there."""
    return typer.Option("-o", "--output", metavar=metavar, help=what, rich_help_panel=OUTPUT)


def load_settings(
    kind: type[C], path: Path | None, given: Mapping[str, Any], options: Mapping[str, str]
) -> C:
    """Return a configuration of what the user gave over what stands in a file.

    Parameters
    ----------
    kind : type of Config
    path : Path or None
        YAML file, if there is one.
    given : mapping
        Values of options by key of the configuration; None and empty lists were not given.
    options : mapping
        What the user writes for a key, for errors; other keys by themselves.

    Raises
    ------
    InputError
        Naming every wrong option or key.
    """
    chosen = {key: value for key, value in given.items() if value not in (None, [])}
    return kind.load(path, chosen, lambda key: options.get(key, key))


def pairs(
    words: list[str] | None, option: str, form: str, *, may_be_empty: bool = False
) -> dict[str, str] | None:
    """Turn texts such as ``length=Mpc/h`` into a mapping; None where there are none.

    Parameters
    ----------
    words : list of str or None
        As the user gave them.
    option : str
        Of which they are, for errors.
    form : str
        What they must look like, with an example.
    may_be_empty : bool
        Whether nothing may stand behind the sign.

    Raises
    ------
    InputError
        If one does not have this form, or a key is there twice.
    """
    if not words:
        return None
    parts = [word.partition("=") for word in words]
    for word, (key, sign, value) in zip(words, parts, strict=True):
        if not (key.strip() and sign and (value.strip() or may_be_empty)):
            raise InputError(f"{option}: must be {form}; got '{word}'.")
    keys = [key.strip() for key, _, _ in parts]
    for key in keys:
        if keys.count(key) > 1:
            raise InputError(f"{option}: must be given once for each key; got '{key}' twice.")
    return {key.strip(): value.strip() for key, _, value in parts}


def telescope_of(
    name: str, mode: str, arf: str | Path | None, rmf: str | Path | None
) -> "Instrument":
    """Return a telescope, with real responses where they are given.

    Parameters
    ----------
    name : str
        In the package, or a TOML file.
    mode : str
        survey or pointed: of which the responses are.
    arf, rmf : str, Path or None
        OGIP files of the effective area and of the energy redistribution.

    Raises
    ------
    InputError
        If an area comes without a redistribution, or a file cannot be used.
    """
    from icmass.simulate.instrument import Instrument  # noqa: PLC0415  (slow to import)

    if arf is not None and rmf is None:
        raise InputError("--rmf: must be given with --arf; got --arf alone.")
    if rmf is None:
        return Instrument.load(name)
    return Instrument.from_ogip(arf=arf, rmf=rmf, like=name, mode=mode)
