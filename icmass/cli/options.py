"""Options that several commands have, written once."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "ConfigFile", "InstrumentName", "Repair", "Scheduler", "Workers"]

ConfigFile = Annotated[
    Path | None,
    typer.Option("-c", "--config", help="YAML file of any of these; options win over it."),
]
InstrumentName = Annotated[
    str | None,
    typer.Option(help="Name, or a TOML file. [default: erosita]"),
]
Workers = Annotated[int | None, typer.Option(help="Local processes; one per core by default.")]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Work on a dask cluster, such as tcp://host:8786."),
]
Repair = Annotated[
    bool, typer.Option("--repair", help="Make damaged, missing or foreign shards again.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
