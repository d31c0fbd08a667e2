"""Training a run's networks without something: what can be taken away, and how much it costs."""

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.bootstrap import bootstrap, haloes_of
from icmass.catalog import Catalog, ChangedCatalog
from icmass.cli.ablation_file import RESULTS, read_results
from icmass.cli.train import show_training
from icmass.config import TrainConfig
from icmass.errors import InputError, OutputError
from icmass.estimate.metrics import error_std, slope_scatter
from icmass.estimate.out_of_fold import own_scores
from icmass.estimate.reading import Reader
from icmass.estimate.runs import Run
from icmass.estimate.training import chosen_clusters, train, training_workers
from icmass.files import require_directory
from icmass.interpret.ablations import (
    REFERENCE,
    Ablation,
    AblationResult,
    chosen,
    standard_ablations,
)
from icmass.interpret.subject import Channel

__all__ = ["SHUFFLED", "Job"]

#: Ablation whose networks were trained on masses of other clusters.
SHUFFLED: Final = "shuffled"
_AS_IT_IS: Final = "as it is"


@dataclass(frozen=True)
class Job:
    """A run to be trained without something.

    Attributes
    ----------
    run : Run
        The estimator, complete.
    catalog : Catalog
        That it was trained on, with its selection.
    output : Path
        Where the trained ones go.
    epochs : int or None
        Passes over the data for all, also for the estimator itself, which is then trained again;
        None for those of the run.
    """

    run: Run
    catalog: Catalog
    output: Path
    epochs: int | None = None

    def plan(self, only: Sequence[str] | None) -> list[Ablation]:
        """Return the ablations of the names in `only`, or all that can be made for None.

        Raises
        ------
        InputError
            If the catalog is not that of the run, a part of the run is damaged, its photons were
            thinned or redrawn, or a name is not known or cannot be made.
        """
        run = self.run
        for key in ("equal_weight", "redraw"):
            if getattr(run.config, key):
                raise InputError(
                    f"{run.path}: must see photons as they are to be trained without some; it was "
                    f"trained with {key}. Ablate a run without it."
                )
        used = chosen_clusters(self.catalog, run.config)
        if used.fingerprint() != run.fingerprint:
            raise InputError(
                f"{self.catalog.path}: must be the catalog that {run.path} was trained on, "
                f"{run.fingerprint[:16]}; got {used.fingerprint()[:16]}. Give that one."
            )
        run.folds_of(used)
        for fold in range(run.config.folds):  # damage is told before anything is written
            run.load_fold(fold)
        reference = [Ablation(REFERENCE, _AS_IT_IS)] if self.epochs is not None else []
        wanted = chosen(self._possible(), only)
        if only is None:
            return reference + [one for one in wanted if self._obstacle(used, one) is None]
        for one in wanted:
            obstacle = self._obstacle(used, one)
            if obstacle is not None:
                raise InputError(f"ablation '{one.name}': cannot be made; {obstacle}")
        return reference + wanted

    def make_place(self) -> None:
        """Make the directory, or see that it is one of ours.

        Raises
        ------
        OutputError
            If the place is taken by something else or cannot be written.
        """
        output = self.output
        try:
            output.resolve(strict=False).exists()
        except (OSError, RuntimeError) as error:
            raise OutputError(f"{output}: cannot be a directory; choose another name.") from error
        if output.is_dir() and any(output.iterdir()):
            if not ((output / RESULTS).exists() or (output / "runs").is_dir()):
                raise OutputError(
                    f"{output}: must be new, empty or of icmass ablate; it holds others."
                )
            return
        require_directory(output)
        try:
            (output / "runs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{output}: cannot be written; {error.strerror}.") from error

    def train(self, plan: Sequence[Ablation], workers: int | None) -> list[AblationResult]:
        """Train without each of `plan`, so many folds at once as there are `workers`.

        Returns
        -------
        list of AblationResult
            The run as it is first, then in the order of the plan; last what was trained before and
            is compared with the same.
        """
        used = chosen_clusters(self.catalog, self.run.config)
        halo = haloes_of(used)
        scores: dict[str, Any] = {}
        if self.epochs is None:
            scores[REFERENCE] = own_scores(self.run, used)
        config = self.run.config
        with training_workers(config.accelerator, workers, None, config.folds) as team:
            for ablation in plan:
                scores[ablation.name] = self._scores(ablation, team)
        named = {ablation.name: ablation for ablation in plan}
        return self._with_earlier(
            [
                _result(name, named.get(name), found, scores[REFERENCE], halo)
                for name, found in scores.items()
            ]
        )

    def _possible(self) -> list[Ablation]:
        inputs = self.run.inputs
        return standard_ablations(
            self.catalog,
            [Channel(c.name, tuple(name for name, _, _ in c.bands)) for c in inputs.channels],
            inputs.origins or self.catalog.spec.origins,
            inputs.scalars,
            galaxies=inputs.cube is not None,
            seed=self.run.config.seed,
        )

    def _obstacle(self, used: Catalog, ablation: Ablation) -> InputError | None:
        """Return what networks would miss after a change: counts of photons that they are told."""
        if ablation.change is None:
            return None
        changed = ChangedCatalog(used, ablation.change)
        try:
            Reader(changed, self.run.inputs).read(np.zeros(1, np.int64))
        except InputError as error:
            return error
        return None

    def _scores(self, ablation: Ablation, team: Executor) -> NDArray[np.void]:
        """Train without something, and return scores against the true masses, shape (n,)."""
        catalog, change = self.catalog, ablation.change
        changed = catalog if change is None else ChangedCatalog(catalog, change)
        config = self._config(ablation)
        place = self.output / "runs" / ablation.name
        with show_training(ablation.words) as report:
            trained = train(changed, config, place, executor=team, report=report)
        scores = own_scores(trained, chosen_clusters(changed, config))
        scores["ln_mass"] = np.log(chosen_clusters(catalog, config).column("m500c_msun"))
        return scores

    def _config(self, ablation: Ablation) -> TrainConfig:
        values = self.run.config.model_dump(mode="json") | dict(ablation.settings)
        if self.epochs is not None:
            values["epochs"] = self.epochs
        return TrainConfig.parse(values, lambda key: f"ablation '{ablation.name}': {key}")

    def _with_earlier(self, results: list[AblationResult]) -> list[AblationResult]:
        """Add what was trained before and not asked for now, if it is compared with the same."""
        if not (self.output / RESULTS).exists():
            return results
        earlier = read_results(self.output, self.run)
        names = {result.name for result in results}
        if results[0] not in earlier:
            return results
        return results + [one for one in earlier if one.name not in names]


def _result(
    name: str,
    ablation: Ablation | None,
    scores: NDArray[np.void],
    reference: NDArray[np.void],
    halo: NDArray[np.int64],
) -> AblationResult:
    def measure(rows: NDArray[np.int64]) -> list[float]:
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
        words=_AS_IT_IS if ablation is None else ablation.words,
        control=control,
        n=len(scores),
        scatter=values[0],
        scatter_error=errors[0],
        error_std=values[1],
        error_std_error=errors[1],
        change=values[2],
        change_error=errors[2],
    )
