"""What becomes of masses on other data than those that a run was trained on.

Of one catalog that keeps origins apart several others can be made: without AGN, with twice the
background, less exposed. On these, and on any other catalog, this tells bias, scatter and coverage
(in ln M), and whether the run could have known that something is wrong: how strange the clusters
are to it, and how far its networks disagree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from icmass.bootstrap import haloes_of
from icmass.catalog import Catalog
from icmass.errors import InputError
from icmass.estimate.figures import ShiftRow
from icmass.estimate.inputs import Inputs
from icmass.estimate.metrics import metrics_table, reference_points, score
from icmass.estimate.prediction import Said, predict
from icmass.estimate.reading import Reader
from icmass.estimate.runs import Run

__all__ = [
    "EXPOSURES_S",
    "METRICS",
    "SHIFTS",
    "Shift",
    "ShiftScores",
    "ShiftedReader",
    "Step",
    "evaluate_shift",
    "plan_shifts",
]

#: Exposures on axis, not vignetted, s. Catalogues of eROSITA give vignetted ones, which are 0.50 of
#: these in 0.2-2.3 keV (effective areas of DR1: survey average over on axis).
EXPOSURES_S: Final[Mapping[str, float]] = {
    # 2.2-2.6 ks; vignetted median of the public catalogue 1,180 s (Brunner et al. 2022).
    "efeds": 2400.0,
    "erass5": 1500.0,  # five times eRASS1
    # 100-200 s vignetted at the ecliptic equator, thousands at the poles (from memory, rounded).
    "erass1": 300.0,
}
#: What is told of masses, of `icmass.estimate.metrics.METRICS`.
METRICS: Final = ("bias", "slope_scatter", "error_std", "coverage_68", "coverage_95")

_AGN: Final = "agn"
_BACKGROUND: Final = "background"
_EXPOSURES: Final = ("exposure_s", "exposure_vignetted_s")
# Observables that are counted from photons, and would be others in other photons.
_COUNTED: Final = ("n_phot", "n_background", "detection_", "extent_")
_SHIFTING: Final = 0x73686966  # tells this use of the seed from others
_MIN_HALOES: Final = 10  # with fewer, scatter and its error say nothing
_STRANGE: Final = 0.95


@dataclass(frozen=True)
class Shift:
    """A change of the photons of a catalog.

    Attributes
    ----------
    name : str
    words : str
        What tables and figures say.
    without_agn : bool
        Whether photons of AGN are left out.
    double_background : bool
        Whether the background is added once more, moved by half the image in both directions
        around its edges. Survey backgrounds are flat, so this is a draw of the same expectation;
        and it is another draw for any disc about the centre whose radius is less than a third of
        the image. (Turned by 180 degrees every disc and ring would hold the same photons twice.)
    exposure_s : float or None
        Photons are thinned to this exposure.
    """

    name: str
    words: str
    without_agn: bool = False
    double_background: bool = False
    exposure_s: float | None = None

    def obstacle(self, inputs: Inputs, catalog: Catalog) -> str | None:
        """Return why this cannot be made of a `catalog` for a run of these `inputs`, or None."""
        seen = catalog.spec.origins if inputs.origins is None else inputs.origins
        for wanted, origin in ((self.without_agn, _AGN), (self.double_background, _BACKGROUND)):
            if wanted and origin not in catalog.spec.origins:
                return f"the catalog does not keep {origin} apart"
            if wanted and origin not in seen:
                return f"the run does not look at {origin}"
        if self.without_agn and tuple(seen) == (_AGN,):
            return "the run looks at nothing else"
        counted = [name for name in inputs.scalars if name.startswith(_COUNTED)]
        if counted:
            return f"the run is told {counted[0]}, which would be another"
        if self.exposure_s is not None:
            shortest = float(catalog.column("exposure_s").min(initial=np.inf))
            if shortest <= self.exposure_s:
                return f"it must be longer exposed than {self.exposure_s:g} s; got {shortest:g} s"
        return None


def _shallower(name: str, words: str) -> Shift:
    return Shift(name, f"{words} ({EXPOSURES_S[name]:,.0f} s)", exposure_s=EXPOSURES_S[name])


#: What is tried on the reference catalog.
SHIFTS: Final = (
    Shift("without-agn", "without AGN", without_agn=True),
    Shift("double-background", "double background", double_background=True),
    _shallower("efeds", "eFEDS depth"),
    _shallower("erass5", "eRASS:5 depth"),
    _shallower("erass1", "eRASS1 depth"),
)


@dataclass(frozen=True)
class ShiftedReader(Reader):
    """Reads the counts of a catalog changed; the same for a row whatever is read with it.

    Attributes
    ----------
    shift : Shift
    shift_seed : int
        Of the thinning to another exposure.
    """

    shift: Shift = Shift("as-it-is", "as it is")
    shift_seed: int = 0

    @classmethod
    def of(cls, reader: Reader, shift: Shift, seed: int) -> Self:
        """Return a reader of the same rows, changed.

        Parameters
        ----------
        reader : Reader
            Of the catalog as it is.
        shift : Shift
            The change.
        seed : int
            Of the thinning to another exposure.

        Raises
        ------
        InputError
            If the change cannot be made of what is read.
        """
        obstacle = shift.obstacle(reader.inputs, reader.catalog)
        if obstacle is not None:
            raise InputError(
                f"{reader.catalog.path}: must be such that '{shift.name}' can be made of it; got: "
                f"{obstacle}. Leave this change out."
            )
        return cls(
            reader.catalog,
            reader.inputs,
            thinning=reader.thinning,
            z_reference=reader.z_reference,
            seed=reader.seed,
            shift=shift,
            shift_seed=seed,
        )

    def _images(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        bands, origins = self.inputs.band_names, self.inputs.origins
        if self.shift.without_agn:
            origins = tuple(o for o in origins or self.catalog.spec.origins if o != _AGN)
        images = self.catalog.images(rows, bands, origins)
        if self.shift.double_background:
            more = self.catalog.images(rows, bands, (_BACKGROUND,))
            half = (more.shape[-2] // 2, more.shape[-1] // 2)
            images += np.roll(more, half, axis=(-2, -1))
        if self.shift.exposure_s is not None:
            part = self._kept(self.shift.exposure_s, rows)
            for image, row, kept in zip(images, rows.tolist(), part, strict=True):
                rng = np.random.default_rng([_SHIFTING, self.shift_seed, row])
                lit = image > 0
                image[lit] = rng.binomial(image[lit], kept)
        return images

    def _scalars(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        scalars = super()._scalars(rows)
        if self.shift.exposure_s is not None:
            change = np.log(self._kept(self.shift.exposure_s, rows)).astype(np.float32)
            for place, name in enumerate(self.inputs.scalars):
                if name in _EXPOSURES:
                    scalars[:, place] += change
        return scalars

    def _kept(self, exposure_s: float, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the part of the exposure that is kept, shape (n,)."""
        return np.asarray(exposure_s / self.catalog.column("exposure_s")[rows])


@dataclass(frozen=True)
class ShiftScores:
    """What a run makes of one data set.

    Attributes
    ----------
    name : str
        Of the data set.
    n, n_known : int
        Clusters, and those among them whose true mass is known.
    n_out_of_fold : int
        Clusters that the run was trained on, judged by the fold that was not.
    own : bool
        Whether these are exactly the clusters of the run.
    value, error : dict of str to float
        By metric (`METRICS`), in ln M or as a part of clusters, with errors by drawing haloes
        again; NaN where fewer than 10 haloes have a known mass.
    strangeness, strangeness_95 : float
        Median and 95th percentile of `Said.strangeness`.
    strangeness_ratio : float
        The median over that of the reference.
    strange_part : float
        Part of the clusters that are stranger than 95% of the reference.
    disagreement : float
        Median of `Said.disagreement` of clusters that several networks judged, in ln M; NaN where
        there is none.
    reference : bool
        Whether this is the data set that others are compared with.
    """

    name: str
    n: int
    n_known: int
    n_out_of_fold: int
    own: bool
    value: Mapping[str, float]
    error: Mapping[str, float]
    strangeness: float
    strangeness_95: float
    strangeness_ratio: float
    strange_part: float
    disagreement: float
    reference: bool = False

    @property
    def judged_by(self) -> str:
        """Who judged these clusters, in words."""
        if self.n_out_of_fold == 0:
            return "all folds"
        if self.n_out_of_fold == self.n:
            return "own clusters, out of fold" if self.own else "out of fold"
        return f"all folds; {self.n_out_of_fold:,} out of fold"

    def figure_row(self) -> ShiftRow | None:
        """Return what `shift_figure` draws; None where masses are not known."""
        bias, scatter = self.value["bias"], self.value["slope_scatter"]
        if not (np.isfinite(bias) and np.isfinite(scatter) and scatter > 0.0):
            return None
        return ShiftRow(
            self.name,
            bias,
            self.error["bias"],
            scatter,
            self.error["slope_scatter"],
            self.reference,
        )


class Step(NamedTuple):
    """One data set to be judged: a catalog, changed or not."""

    name: str
    catalog: Catalog
    shift: Shift | None = None


def plan_shifts(
    run: Run, catalogs: Mapping[str, Catalog], shifts: Sequence[Shift] = SHIFTS
) -> tuple[list[Step], list[str]]:
    """Say what can be judged: the first catalog, changes of it, the others as they are.

    Parameters
    ----------
    run : Run
    catalogs : mapping of str to Catalog
        By the name that the table shows; the first is the reference.
    shifts : sequence of Shift
        To try on the reference.

    Returns
    -------
    steps : list of Step
        The reference first.
    notes : list of str
        Which changes cannot be made, and why.

    Raises
    ------
    InputError
        If there is no catalog, one is empty, or does not hold the inputs of the run.
    """
    if not catalogs:
        raise InputError("catalogs: must be at least one, the reference; got none. Give one.")
    for catalog in catalogs.values():
        if not len(catalog):
            raise InputError(f"{catalog.path}: must hold clusters; got none. Give another catalog.")
        run.inputs.require(catalog.spec, str(catalog.path))
    (first, reference), *others = catalogs.items()
    steps, notes = [Step(first, reference)], []
    for shift in shifts:
        obstacle = shift.obstacle(run.inputs, reference)
        if obstacle is None:
            steps.append(Step(f"{first}, {shift.words}", reference, shift))
        else:
            notes.append(f"{shift.words}: left out, {obstacle}")
    return steps + [Step(*other) for other in others], notes


def evaluate_shift(
    run: Run,
    catalog: Catalog,
    shift: Shift | None = None,
    *,
    name: str | None = None,
    reference: ShiftScores | None = None,
    seed: int = 0,
    n_resamples: int = 200,
    report: Callable[[int], None] | None = None,
) -> ShiftScores:
    """Let a run judge a catalog, changed or not, and score what it says.

    Parameters
    ----------
    run : Run
        Complete.
    catalog : Catalog
        Any that holds the inputs of the run; masses may be unknown.
    shift : Shift, optional
        The change; none by default.
    name : str, optional
        Of the result; that of shift or catalog by default.
    reference : ShiftScores, optional
        What strangeness is compared with; by default this is the reference itself.
    seed, n_resamples : int
        Of the change, and of the bootstrap.
    report : callable, optional
        Is told how many clusters were judged since the last time.

    Raises
    ------
    InputError
        If the catalog is empty or does not hold the inputs, or the change cannot be made of it.
    """
    plan_shifts(run, {"": catalog}, ())  # refuses what cannot be judged
    change = None if shift is None else partial(ShiftedReader.of, shift=shift, seed=seed)
    said = predict(run, catalog, change=change, report=report)
    n_known, value, error = _mass_metrics(said, catalog, seed, n_resamples)
    median, high = np.quantile(said.strangeness, [0.5, _STRANGE]).tolist()
    networks = np.where(said.fold < 0, run.config.folds, 1) * run.config.members
    several = said.disagreement[networks > 1]
    return ShiftScores(
        name or (shift.words if shift is not None else catalog.path.name),
        len(catalog),
        n_known,
        int(np.count_nonzero(said.fold >= 0)),
        catalog.fingerprint() == run.fingerprint,
        value,
        error,
        median,
        high,
        1.0 if reference is None else median / reference.strangeness,
        float(
            np.mean(said.strangeness > (high if reference is None else reference.strangeness_95))
        ),
        float(np.median(several)) if len(several) else np.nan,
        reference is None,
    )


def _mass_metrics(
    said: Said, catalog: Catalog, seed: int, n_resamples: int
) -> tuple[int, dict[str, float], dict[str, float]]:
    """Return how many masses are known, and metrics and their errors of these clusters."""
    mass = catalog.column("m500c_msun")
    known = mass > 0
    halo = haloes_of(catalog)[known]
    if len(np.unique(halo)) < _MIN_HALOES:
        unknown = dict.fromkeys(METRICS, np.nan)
        return int(known.sum()), unknown, dict(unknown)
    truth = np.log(mass[known])
    points = reference_points(len(truth), float(truth.min()), float(truth.max()), seed)
    scores = score(said.predictive[known], truth, points)
    row = metrics_table(scores, halo, n_resamples=n_resamples, seed=seed)[0]
    return (
        int(known.sum()),
        {name: row.value[name] for name in METRICS},
        {name: row.error[name] for name in METRICS},
    )
