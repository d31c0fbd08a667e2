"""`icmass ablate`: which information an estimator uses, by training it without."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from icmass.cli.wide_table import print_wide_table
from icmass.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from icmass.catalog import Catalog
    from icmass.config import TrainConfig
    from icmass.estimate.runs import Run
    from icmass.interpret.ablations import Ablation, AblationResult

__all__ = ["RESULTS", "SHUFFLED", "ablate", "read_results"]

#: Written when all ablations asked for are trained.
RESULTS = "ablations.json"
#: Ablation whose networks were trained on masses of other clusters.
SHUFFLED = "shuffled"
_FORMAT = "icmass ablations"
# Of what is written about an ablation; all else are numbers.
_KINDS = {"name": str, "words": str, "control": bool, "n": int}


def ablate(
    run: Annotated[Path, typer.Argument(help="Directory of the estimator.")],
    catalog: Annotated[Path, typer.Argument(help="Directory of the catalog it was trained on.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the trained ones go.")
    ] = Path("ablations"),
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="core, outskirts, azimuth, agn, only-BAND, one-image, redshift, shuffled. "
            "[default: all that can be made]",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Passes over the data for all, also the estimator itself, trained again."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Folds trained at once; one per core by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train an estimator without the core, the outskirts, AGN, and so on: which does it need.

    Given again it goes on where it was. `icmass explain --ablations DIR` puts the table into the
    report, and takes the estimator trained on masses of other clusters for its checks.
    """
    from icmass.catalog import Catalog
    from icmass.estimate.runs import Run

    found = Run.open(run)
    opened = Catalog.open(catalog).where(*found.config.where)
    wanted = None if only is None else [name.strip() for name in only.split(",")]
    plan = _plan(found, opened, wanted, epochs)
    _make_place(output)
    results = _with_earlier(output, found, _run_all(found, opened, plan, output, epochs, workers))
    values = _values(found, results)
    _write(output, values)
    if as_json:
        typer.echo(json.dumps(values, indent=1, allow_nan=False))
        return
    _print(results)
    typer.echo(f"trained estimators and table: {output}")


def read_results(directory: Path, run: "Run") -> "list[AblationResult]":
    """Return what `icmass ablate` wrote about a run.

    Raises
    ------
    InputError
        If it is not there, damaged, or of another run.
    """
    from icmass.interpret.ablations import AblationResult

    path = directory / RESULTS
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        rows = [_checked(AblationResult(**_known(row))) for row in values["ablations"]]
        of = str(values["run_digest"])
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{directory}: must hold {RESULTS}; it does not. Give a directory in which icmass "
            "ablate came to its end."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: must hold results of icmass ablate; it is damaged ({error}). Give the same "
            "icmass ablate again."
        ) from error
    if of != run_digest(run):
        raise InputError(
            f"{path}: must be of the run {run.path}, {run_digest(run)[:16]}; got {of[:16]}. Give "
            "ablations of this run."
        )
    return rows


def run_digest(run: "Run") -> str:
    """Return a hash of what a run is: its configuration, inputs and catalog."""
    values = {
        "config": run.config.model_dump(mode="json"),
        "inputs": run.inputs.to_dict(),
        "catalog": run.fingerprint,
    }
    text = json.dumps(values, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it with NaN in place of null."""
    return {key: math.nan if value is None else value for key, value in row.items()}


def _checked(result: "AblationResult") -> "AblationResult":
    """Return a result if its values are of their kinds.

    Raises
    ------
    TypeError
    """
    for name, value in asdict(result).items():
        if not isinstance(value, _KINDS.get(name, (int, float))):
            raise TypeError(f"{name}: {value!r}")
    return result


def _plan(
    run: "Run", catalog: "Catalog", only: Sequence[str] | None, epochs: int | None
) -> "list[Ablation]":
    from icmass.estimate.training import chosen_clusters
    from icmass.interpret.ablations import REFERENCE, Ablation, chosen, standard_ablations
    from icmass.interpret.subject import Channel

    for key in ("equal_weight", "redraw"):
        if getattr(run.config, key):
            raise InputError(
                f"{run.path}: must see photons as they are to be trained without some; it was "
                f"trained with {key}. Ablate a run without it."
            )
    used = chosen_clusters(catalog, run.config)
    if used.fingerprint() != run.fingerprint:
        raise InputError(
            f"{catalog.path}: must be the catalog that {run.path} was trained on, "
            f"{run.fingerprint[:16]}; got {used.fingerprint()[:16]}. Give that one."
        )
    run.folds_of(used)
    for fold in range(run.config.folds):  # damage is told before anything is written
        run.load_fold(fold)
    inputs = run.inputs
    possible = standard_ablations(
        catalog,
        [Channel(c.name, tuple(name for name, _, _ in c.bands)) for c in inputs.channels],
        inputs.origins or catalog.spec.origins,
        inputs.scalars,
        galaxies=inputs.cube is not None,
        seed=run.config.seed,
    )
    reference = [Ablation(REFERENCE, "as it is")] if epochs is not None else []
    wanted = chosen(possible, only)
    if only is None:
        return reference + [one for one in wanted if _obstacle(run, used, one) is None]
    for one in wanted:
        obstacle = _obstacle(run, used, one)
        if obstacle is not None:
            raise InputError(f"ablation '{one.name}': cannot be made; {obstacle}")
    return reference + wanted


def _obstacle(run: "Run", catalog: "Catalog", ablation: "Ablation") -> InputError | None:
    """Return what networks would miss after a change: counts of photons that they are told."""
    from icmass.catalog import ChangedCatalog
    from icmass.estimate.reading import Reader

    if ablation.change is None:
        return None
    try:
        Reader(ChangedCatalog(catalog, ablation.change), run.inputs).read(np.zeros(1, np.int64))
    except InputError as error:
        return error
    return None


def _make_place(output: Path) -> None:
    from icmass.errors import OutputError

    try:
        output.resolve(strict=False).exists()
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{output}: cannot be a directory; choose another name.") from error
    if output.is_dir() and any(output.iterdir()):
        if not ((output / RESULTS).exists() or (output / "runs").is_dir()):
            raise OutputError(f"{output}: must be new, empty or of icmass ablate; it holds others.")
        return
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output}: must be a directory; it is a file. Choose another name.")
    if not output.resolve().parent.is_dir():
        raise OutputError(
            f"{output}: its folder does not exist; create it: mkdir -p {output.parent}"
        )
    try:
        (output / "runs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{output}: cannot be written; {error.strerror}.") from error


def _run_all(
    run: "Run",
    catalog: "Catalog",
    plan: "Sequence[Ablation]",
    output: Path,
    epochs: int | None,
    workers: int | None,
) -> "list[AblationResult]":
    from icmass.bootstrap import haloes_of
    from icmass.estimate.out_of_fold import own_scores
    from icmass.estimate.training import chosen_clusters, training_workers
    from icmass.interpret.ablations import REFERENCE

    used = chosen_clusters(catalog, run.config)
    halo = haloes_of(used)
    scores: dict[str, Any] = {}
    if epochs is None:
        scores[REFERENCE] = own_scores(run, used)
    with training_workers(run.config.accelerator, workers, None, run.config.folds) as team:
        for ablation in plan:
            scores[ablation.name] = _scores(run, catalog, ablation, output, epochs, team)
    named = {ablation.name: ablation for ablation in plan}
    return [
        _result(name, named.get(name), found, scores[REFERENCE], halo)
        for name, found in scores.items()
    ]


def _with_earlier(
    output: Path, run: "Run", results: "list[AblationResult]"
) -> "list[AblationResult]":
    """Add what was trained before and not asked for now, if it is compared with the same."""
    if not (output / RESULTS).exists():
        return results
    earlier = read_results(output, run)
    names = {result.name for result in results}
    if results[0] not in earlier:
        return results
    return results + [one for one in earlier if one.name not in names]


def _config(run: "Run", ablation: "Ablation", epochs: int | None) -> "TrainConfig":
    from icmass.config import TrainConfig

    values = run.config.model_dump(mode="json") | dict(ablation.settings)
    if epochs is not None:
        values["epochs"] = epochs
    return TrainConfig.parse(values, lambda key: f"ablation '{ablation.name}': {key}")


def _scores(
    run: "Run",
    catalog: "Catalog",
    ablation: "Ablation",
    output: Path,
    epochs: int | None,
    team: "Executor",
) -> Any:
    """Train without something, and return scores against the true masses, shape (n,)."""
    from icmass.catalog import ChangedCatalog
    from icmass.cli.train import show_training
    from icmass.estimate.out_of_fold import own_scores
    from icmass.estimate.training import chosen_clusters
    from icmass.estimate.training import train as train_run

    changed = catalog if ablation.change is None else ChangedCatalog(catalog, ablation.change)
    config = _config(run, ablation, epochs)
    place = output / "runs" / ablation.name
    with show_training(ablation.words) as report:
        trained = train_run(changed, config, place, executor=team, report=report)
    scores = own_scores(trained, chosen_clusters(changed, config))
    scores["ln_mass"] = np.log(chosen_clusters(catalog, config).column("m500c_msun"))
    return scores


def _result(
    name: str, ablation: "Ablation | None", scores: Any, reference: Any, halo: Any
) -> "AblationResult":
    from icmass.bootstrap import bootstrap
    from icmass.estimate.metrics import error_std, slope_scatter
    from icmass.interpret.ablations import AblationResult

    def measure(rows: Any) -> list[float]:
        found = [(part["ln_mass"][rows], part["mean"][rows]) for part in (scores, reference)]
        spread, other = (error_std(*pair) for pair in found)
        return [slope_scatter(*found[0]), spread, spread - other]

    control = ablation is not None and ablation.control
    values = measure(np.arange(len(scores)))
    errors = np.std(bootstrap(measure, halo), axis=0, ddof=1).tolist()
    if control:  # of masses that do not follow the truth there is no scatter about a line
        values[0] = errors[0] = math.nan
    return AblationResult(
        name=name,
        words="as it is" if ablation is None else ablation.words,
        control=control,
        n=len(scores),
        scatter=values[0],
        scatter_error=errors[0],
        error_std=values[1],
        error_std_error=errors[1],
        change=values[2],
        change_error=errors[2],
    )


def _values(run: "Run", results: "Sequence[AblationResult]") -> dict[str, Any]:
    rows = [
        {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
        for row in map(asdict, results)
    ]
    return {
        "format": _FORMAT,
        "run": str(run.path),
        "run_digest": run_digest(run),
        "catalog_fingerprint": run.fingerprint,
        "ablations": rows,
    }


def _write(output: Path, values: dict[str, Any]) -> None:
    from icmass.files import atomic_write

    with atomic_write(output / RESULTS, overwrite=True) as stage:
        stage.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _print(results: "Sequence[AblationResult]") -> None:
    def cell(value: float, error: float) -> str:
        known = math.isfinite(value) and not error > abs(value) > 1.0
        return f"{100 * value:.1f} ± {100 * error:.1f}" if known else "-"

    print_wide_table(
        ("trained", "clusters", "scatter %", "std of error %", "against as it is %"),
        (
            (
                row.words,
                f"{row.n:,}",
                cell(row.scatter, row.scatter_error),
                cell(row.error_std, row.error_std_error),
                "" if row.change_error == 0.0 else cell(row.change, row.change_error),
            )
            for row in results
        ),
    )
    typer.echo("in % of M, out of fold; errors by drawing haloes again, the same for both compared")
