"""What a run says of its own clusters, each judged by the fold that did not train on it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icmass.catalog import Catalog
from icmass.catalog import predictions as files
from icmass.catalog.shard_data import row_keys
from icmass.errors import InputError, OutputError
from icmass.estimate.metrics import Predictive, evaluate, reference_points, score
from icmass.estimate.prediction import predict
from icmass.estimate.runs import OUT_OF_FOLD, Run

__all__ = ["judge_own", "own_scores", "require_free", "scores_of"]


def own_scores(run: Run, catalog: Catalog) -> NDArray[np.void]:
    """Return the scores of a run on the catalog that it was trained on, shape (n,).

    Predictions are made once and kept in the run.

    Parameters
    ----------
    run : Run
        Complete.
    catalog : Catalog
        That of the run, with the same selection.

    Raises
    ------
    InputError
        If the catalog is another.
    """
    if catalog.fingerprint() != run.fingerprint:
        raise InputError(
            f"{run.path}: was trained on a catalog of fingerprint {run.fingerprint[:16]}; expected "
            f"this one, {catalog.fingerprint()[:16]}. Give the catalog that it was trained on."
        )
    key = row_keys(catalog.rows())
    if not run.out_of_fold.exists():
        _write(run, catalog, key)
    found = files.read(run.path, OUT_OF_FOLD, key)
    return scores_of(Predictive.from_predictions(found), catalog.column("m500c_msun"))


def scores_of(predictive: Predictive, mass_msun: NDArray[np.float64]) -> NDArray[np.void]:
    """Return the scores of `predictive` distributions of ln M against `mass_msun`, shape (n,)."""
    truth = np.log(mass_msun)
    reference = reference_points(len(truth), float(truth.min()), float(truth.max()), seed=0)
    return score(predictive, truth, reference)


def judge_own(run: Run, catalog: Catalog) -> dict[str, float]:
    """Return all metrics of `run` on the `catalog` that it was trained on, out of fold."""
    return evaluate(own_scores(run, catalog))


def require_free(catalog: Catalog, name: str, *, overwrite: bool) -> None:
    """Refuse a name of predictions that is taken, before the work is done.

    Parameters
    ----------
    catalog : Catalog
        Into which they are to be written.
    name : str
    overwrite : bool
        Whether predictions of that name may be replaced.

    Raises
    ------
    InputError
        If the name cannot be one.
    OutputError
        If it is taken.
    """
    files.require_name(name)
    if name in catalog.prediction_names() and not overwrite:
        raise OutputError(
            f"{catalog.path}: has predictions '{name}' already. Choose another name, or give "
            "--overwrite."
        )


def _write(run: Run, catalog: Catalog, key: NDArray[np.void]) -> Path:
    told = predict(run, catalog).columns()
    told["extra"]["ln_mass"] = np.log(catalog.column("m500c_msun"))
    made = files.make(len(catalog), "ln(M500c / Msun)", **told)
    return files.write(run.path, OUT_OF_FOLD, key, made, overwrite=True)
