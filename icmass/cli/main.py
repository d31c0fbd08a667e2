"""The program `icmass`: its sub-commands, and what becomes of their errors.

A mistake of the user is one line on the error stream and exit status 2. A traceback is a bug, or
what ``--debug`` asks for.
"""

import signal
import sys
import warnings
from types import FrameType
from typing import Annotated, Any, TextIO

import typer
from typer.exceptions import TyperException

from icmass import __version__
from icmass.cli.ablate import ablate
from icmass.cli.benchmark import benchmark
from icmass.cli.cutouts import cutouts
from icmass.cli.ecf import ecf
from icmass.cli.evaluate import evaluate
from icmass.cli.explain import explain
from icmass.cli.info import info
from icmass.cli.instruments import instruments
from icmass.cli.observe import observe
from icmass.cli.simulate import simulate
from icmass.cli.survey import survey
from icmass.cli.tables import tables_app
from icmass.cli.train import predict, train
from icmass.errors import InputError, InputWarning

__all__ = ["app", "main"]

app = typer.Typer(
    name="icmass",
    help="X-ray photons of simulated galaxy clusters, and the masses that can be read from them.",
    add_completion=False,
    rich_markup_mode=None,
)
app.command("observe")(observe)
app.command("simulate")(simulate)
app.command("survey")(survey)
app.command("cutouts")(cutouts)
app.command("ecf")(ecf)
app.add_typer(tables_app, name="tables")
app.command("instruments")(instruments)
app.command("info")(info)
app.command("train")(train)
app.command("predict")(predict)
app.command("benchmark")(benchmark)
app.command("evaluate")(evaluate)
app.command("ablate")(ablate)
app.command("explain")(explain)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"icmass {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print it.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error arose.")] = False,
) -> None:
    """Take the options that stand before the sub-command."""


def main(arguments: list[str] | None = None) -> None:
    """Run the program and exit with its status.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.
    """
    arguments = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    signal.signal(signal.SIGTERM, _stop)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", InputWarning)
            warnings.showwarning = _show_warning
            status = app(arguments, prog_name="icmass", standalone_mode=False)
    except InputError as error:
        if "--debug" in arguments:
            raise
        _complain(str(error))
        status = 2
    except TyperException as error:
        _complain(error.format_message())
        status = error.exit_code
    sys.exit(status if isinstance(status, int) else 0)


def _complain(message: str) -> None:
    typer.echo(" ".join(message.split()), err=True)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning on one line, without the place in our code that raised it."""
    _complain(f"warning: {message}")


def _stop(number: int, frame: FrameType | None) -> Any:
    """Leave in order when a scheduler ends the job, so that nothing half-written stays."""
    sys.exit(128 + number)
