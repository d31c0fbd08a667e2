"""`icmass explain`: what an estimator looks at, in a report."""

# A command loads what it needs when it runs, so that --help is quick.
# ruff: noqa: PLC0415

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icmass.cli.options import INPUT, OUTPUT, RUNNING, AsJson, Overwrite, RunDirectory, to_directory
from icmass.cli.printing import print_json
from icmass.errors import InputError

if TYPE_CHECKING:
    from icmass.estimate.runs import Run
    from icmass.interpret.explanation import Explanation, Plan
    from icmass.interpret.subject import Subject

__all__ = ["explain"]

_FEWEST_HALOES = 10
_ASKED = "What is asked"


def explain(
    run: RunDirectory,
    catalog: Annotated[
        Path, typer.Argument(metavar="CATALOG", help="The catalog that it was trained on.")
    ],
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Explain this one: its row, or SAMPLE/SNAPSHOT/HALO/LINE. [default: all of them]",
            rich_help_panel=INPUT,
        ),
    ] = None,
    ablations: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="What icmass ablate wrote, to be reported as well.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    all_folds: Annotated[
        bool,
        typer.Option(
            "--all-folds",
            help="Take clusters that the estimator was not trained on too, judged by all folds.",
            rich_help_panel=INPUT,
        ),
    ] = False,
    target: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="What of ln M is explained: mean, std, median, or a quantile, by its probability.",
            rich_help_panel=_ASKED,
        ),
    ] = "mean",
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What clusters are compared with: empty (no photons) or background (its photons "
            "alone). [default: background where the networks see it, else empty]",
            rich_help_panel=_ASKED,
        ),
    ] = None,
    sample: Annotated[
        int,
        typer.Option(
            min=2, help="Clusters that are changed and asked again.", rich_help_panel=_ASKED
        ),
    ] = 300,
    tested: Annotated[
        int,
        typer.Option(
            min=2,
            help="Clusters on which methods of attribution are tested.",
            rich_help_panel=_ASKED,
        ),
    ] = 100,
    seed: Annotated[
        int,
        typer.Option(
            min=0, help="Seed of samples and of all that is drawn.", rich_help_panel=_ASKED
        ),
    ] = 0,
    output: Annotated[
        Path,
        to_directory("Where the report goes."),
    ] = Path("explanation"),
    overwrite: Overwrite = False,
    maps: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD,...",
            help="Write what each pixel does to the mass, of all clusters, into DIR/attributions: "
            "saliency, input-x-gradient, integrated-gradients, smoothgrad, occlusion, grad-cam.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    space: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What these are by: inputs (ln(1 + N) of N photons), photons, or galaxies.",
            rich_help_panel=OUTPUT,
        ),
    ] = "inputs",
    as_json: AsJson = False,
    device: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Where networks compute: cpu, cuda or mps.",
            rich_help_panel=RUNNING,
        ),
    ] = "cpu",
) -> None:
    """Show what an estimator looks at, tested by numbers: a page with figures and tables."""
    from icmass.catalog import Catalog
    from icmass.cli.explaining import subject_of
    from icmass.estimate.runs import Run
    from icmass.files import check_output
    from icmass.interpret.explanation import Plan

    found = Run.open(run)
    opened = Catalog.open(catalog, sound=True)
    if not all_folds:
        opened = opened.where(*found.config.where)
    subject = subject_of(found, opened, target=target, all_folds=all_folds, device=device)
    _require_own(found, subject, all_folds=all_folds)
    sky = baseline or ("background" if "background" in subject.origins else "empty")
    plan = Plan(sample=sample, tested=tested, baseline=sky, seed=seed)
    named = [] if maps is None else [name.strip() for name in maps.split(",")]
    wanted = list(dict.fromkeys(named))
    _require_methods(subject, wanted, space, sky)
    check_output(output, overwrite=overwrite)
    if cluster is not None:
        _require_nothing_else(ablations, wanted)
        values = _one(found, subject, subject.place(cluster), plan, output, overwrite)
    else:
        explained = _explain(found, subject, plan, ablations)
        values = _write(found, explained, output, wanted, space, overwrite)
    if as_json:
        print_json(values)
        return
    for text in values["statements"]:
        typer.echo(f"- {text}")
    typer.echo(f"report: {output / 'report.html'}")


def _require_nothing_else(ablations: Path | None, maps: list[str]) -> None:
    """Refuse what a report on one cluster cannot hold."""
    if ablations is not None or maps:
        raise InputError("cluster: cannot go with ablations or maps; leave these out.")


def _require_own(run: "Run", subject: "Subject", *, all_folds: bool) -> None:
    """Refuse a catalog that is not the run's, unless asked for, and one whose truth is not known.

    Other catalogs may name their haloes alike, and would seem to have been trained on.
    """
    import numpy as np

    from icmass.estimate.training import chosen_clusters

    catalog = subject.catalog
    for name in ("redshift", "m500c_msun", "r500c_kpc"):
        values = catalog.column(name)
        unknown = int(np.count_nonzero(~((values > 0.0) & np.isfinite(values))))
        if unknown:
            raise InputError(
                f"{catalog.path}: must know {name} of every cluster; it is unknown of {unknown:,} "
                f"of {len(values):,}. Give mock clusters."
            )
    if not all_folds and chosen_clusters(catalog, run.config).fingerprint() != run.fingerprint:
        raise InputError(
            f"{catalog.path}: must be the catalog that {run.path} was trained on, "
            f"{run.fingerprint[:16]}; got {catalog.fingerprint()[:16]}. Give that one, or "
            "--all-folds: haloes of the same names are then taken for those of the training."
        )


def _require_methods(subject: "Subject", names: list[str], space: str, baseline: str) -> None:
    """Refuse maps that cannot be made before the work begins."""
    import numpy as np

    from icmass.interpret.attribution import attributions, require_baseline
    from icmass.interpret.attribution.spaces import require_space

    require_space(space)
    if not names and space != "inputs":
        raise InputError(f"space: {space} is of maps; give --maps as well, or leave it out.")
    require_baseline(subject, "inputs", baseline)
    for name in names:
        at_first = np.zeros(1, np.int64)
        next(attributions(subject, name, space=space, baseline=baseline, rows=at_first))


def _explain(run: "Run", subject: "Subject", plan: "Plan", ablations: Path | None) -> "Explanation":
    import numpy as np

    from icmass.bootstrap import haloes_of
    from icmass.cli.ablating import SHUFFLED
    from icmass.cli.ablation_file import read_results
    from icmass.cli.explaining import point_spread, proxy_slopes, subject_of
    from icmass.estimate.runs import Run
    from icmass.interpret.explanation import explain as explain_subject

    n_haloes = len(np.unique(haloes_of(subject.catalog)))
    if n_haloes < _FEWEST_HALOES:
        raise InputError(
            f"{subject.catalog.path}: must hold at least {_FEWEST_HALOES} haloes, for errors by "
            f"drawing them again; got {n_haloes}. Give more, or explain one with --cluster."
        )
    results, control = [], None
    if ablations is not None:
        results = read_results(ablations, run)
        shuffled = ablations / "runs" / SHUFFLED
        if any(result.name == SHUFFLED for result in results):
            control = subject_of(
                Run.open(shuffled),
                subject.catalog,
                target=subject.target.name,
                all_folds=True,
                device=str(subject.device),
            )
    return explain_subject(
        subject,
        slopes=proxy_slopes(subject.catalog),
        psf=point_spread(subject.catalog),
        control=control,
        ablations=results,
        plan=plan,
    )


def _write(
    run: "Run",
    explained: "Explanation",
    output: Path,
    maps: list[str],
    space: str,
    overwrite: bool,
) -> dict[str, Any]:
    from icmass.files import staged_directory
    from icmass.interpret.attribution import write_attributions
    from icmass.interpret.report.document import write_explanation
    from icmass.progress import progress

    subject, plan = explained.subject, explained.plan
    with staged_directory(output, overwrite=overwrite) as stage:
        statements = write_explanation(stage, explained, _provenance(run, subject, plan))
        if maps:
            (stage / "attributions").mkdir()
        for name in maps:
            with progress(f"maps of {name}", len(subject)) as advance:
                write_attributions(
                    stage / "attributions" / f"{name}.h5",
                    subject,
                    plan.method(name),
                    space=space,
                    baseline=plan.baseline,
                    report=advance,
                )
    return {
        "report": str(output / "report.html"),
        "statements": [str(one) for one in statements],
        **explained.to_dict(),
    }


def _one(
    run: "Run", subject: "Subject", row: int, plan: "Plan", output: Path, overwrite: bool
) -> dict[str, Any]:
    from icmass.cli.explaining import point_spread, proxy_slopes
    from icmass.files import staged_directory
    from icmass.interpret.report.document import write_cluster

    catalog = subject.catalog
    with staged_directory(output, overwrite=overwrite) as stage:
        statements = write_cluster(
            stage,
            subject,
            row,
            plan,
            _provenance(run, subject, plan),
            slopes=proxy_slopes(catalog),
            psf=point_spread(catalog),
        )
    return {
        "report": str(output / "report.html"),
        "statements": [str(one) for one in statements],
    }


def _provenance(run: "Run", subject: "Subject", plan: "Plan") -> dict[str, Any]:
    from dataclasses import asdict

    from icmass.provenance import provenance, versions

    configuration = {
        "run": run.config.model_dump(mode="json", exclude_none=True),
        "training": dict(run.plan),
        "target": subject.target.name,
        **asdict(plan),
    }
    made = provenance(
        configuration,
        plan.seed,
        run=run.path.name,
        catalog=subject.catalog.path.name,
        catalog_fingerprint=subject.catalog.fingerprint(),
        clusters=len(subject),
    )
    return made | {"versions": versions("torch", "captum")}
