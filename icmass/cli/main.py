"""The program `icmass`: its sub-commands, and what becomes of their errors.

A mistake of the user is one line on the error stream and exit status 2. A traceback is a bug, or
what ``--debug`` asks for.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
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
from icmass.cli.help import GroupedCommand, GroupedCommands
from icmass.cli.info import info
from icmass.cli.instruments import instruments
from icmass.cli.observe import observe
from icmass.cli.simulate import simulate
from icmass.cli.survey import survey
from icmass.cli.tables import tables_app
from icmass.cli.train import predict, train
from icmass.errors import InputError, InputWarning
from icmass.files import what_to_do

__all__ = ["app", "main"]

app = typer.Typer(
    name="icmass",
    cls=GroupedCommands,
    help="X-ray photons of simulated galaxy clusters, and the masses that can be read from them.",
    epilog="""
    icmass observe                                 # a synthetic cluster, as eROSITA sees it
    icmass simulate -o catalog --clusters 50       # a catalog of clusters
    icmass train catalog -o run --network profile  # an estimator of their masses
    icmass explain run catalog                     # what it looks at
    icmass COMMAND --help                          # all that can be asked of a command
    """,
    add_completion=False,
    rich_markup_mode=None,
)

_CLUSTERS = "Clusters"
_MASSES = "Masses"
_REASONS = "What an estimator looks at"
_SKY = "The sky"
_TELESCOPES = "Telescopes and spectra"

# Commands by group, in the order in which a user meets them, with examples.
_COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    (
        _CLUSTERS,
        observe,
        """
        icmass observe
        icmass observe SNAPSHOT --dry-run
        icmass observe SNAPSHOT --redshift 0.1 --nh 1e20 --axis x -o observation
        """,
    ),
    (
        _CLUSTERS,
        simulate,
        """
        icmass simulate -o catalog --clusters 50 --lines-of-sight 2
        icmass simulate -o catalog --snapshot SNAPSHOT --halos TABLE
        icmass simulate -o catalog -c job.yaml --scheduler tcp://host:8786
        """,
    ),
    (
        _CLUSTERS,
        info,
        """
        icmass info catalog
        icmass info catalog --validate --plot catalog.png
        """,
    ),
    (
        _MASSES,
        train,
        """
        icmass train catalog -o run --network profile --head gaussian --folds 4
        icmass train catalog -o run --inputs bands,redshift --where 'redshift < 0.3'
        icmass train one two -o run -c job.yaml
        """,
    ),
    (
        _MASSES,
        predict,
        """
        icmass predict run catalog
        icmass predict run other --name mine
        """,
    ),
    (
        _MASSES,
        benchmark,
        """
        icmass benchmark catalog -o benchmark
        icmass benchmark catalog -o benchmark --suite paper --accelerator gpu
        """,
    ),
    (
        _MASSES,
        evaluate,
        """
        icmass evaluate run catalog
        icmass evaluate run catalog other --where detected -o evaluation
        """,
    ),
    (
        _REASONS,
        explain,
        """
        icmass explain run catalog -o explanation
        icmass explain run catalog -o cluster --cluster 17
        icmass explain run catalog -o maps --maps integrated-gradients --space photons
        """,
    ),
    (
        _REASONS,
        ablate,
        """
        icmass ablate run catalog -o ablations
        icmass ablate run catalog -o ablations --only core,agn,shuffled --epochs 30
        """,
    ),
    (
        _SKY,
        survey,
        """
        icmass survey -o survey --preset efeds --fraction 0.05 --cutouts
        icmass survey -o survey --footprint '|b|>20' --exposure scan:1
        icmass survey -o survey --footprint cone:135,1,2 --exposure flat:2350
        """,
    ),
    (
        _SKY,
        cutouts,
        """
        icmass cutouts survey --positions survey/haloes.fits -o catalog
        icmass cutouts 'tiles/*.fits' --positions clusters.csv --column redshift=Z -o catalog
        """,
    ),
    (
        _TELESCOPES,
        ecf,
        """
        icmass ecf --gamma 2 --nh 3e20 --band 0.5 2.0
        icmass ecf --kt 5 --redshift 0.1 --band 0.5 2.0 --mode survey
        """,
    ),
    (_TELESCOPES, instruments, "icmass instruments"),
)

for group, command, examples in _COMMANDS:
    app.command(command.__name__, cls=GroupedCommand, rich_help_panel=group, epilog=examples)(
        command
    )
app.add_typer(tables_app, name="tables", rich_help_panel=_TELESCOPES)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"icmass {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Print the version and end."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where in the code an error arose.")
    ] = False,
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
    hook = sys.unraisablehook
    sys.unraisablehook = partial(_stop_again, hook)
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
    except OSError as error:  # of a name that cannot be one, or of a disk that is full
        if error.filename is None or "--debug" in arguments:
            raise
        advice = what_to_do(error) or f"{error.strerror}; give another name"
        _complain(f"{error.filename}: cannot be used: {advice}.")
        status = 2
    except (MemoryError, RuntimeError) as error:
        # PyTorch has an error of its own on graphics cards, and a plain one elsewhere.
        full = isinstance(error, MemoryError) or "tried to allocate" in str(error).lower()
        if not full or "--debug" in arguments:
            raise
        _complain(f"memory: is not enough for this; {_first_line(error)}. Ask for less at once.")
        status = 1
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    finally:
        sys.unraisablehook = hook
    sys.exit(status if isinstance(status, int) else 0)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "").rstrip(".") or "no more is to be had"


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


def _stop_again(
    others: "Callable[[sys.UnraisableHookArgs], Any]", lost: "sys.UnraisableHookArgs"
) -> None:
    """Ask once more for an end that was lost, for it came while Python tidied up an object."""
    numbers = {SystemExit: signal.SIGTERM, KeyboardInterrupt: signal.SIGINT}
    if lost.exc_type in numbers:
        threading.Timer(0.05, os.kill, (os.getpid(), numbers[lost.exc_type])).start()
    else:
        others(lost)
