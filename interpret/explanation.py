"""Everything that is found out about networks, in one go: attributions in numbers, checks, causes.

Gradients are taken of all clusters; what takes longer is done on samples of them (`Plan`). Nothing
is drawn or written here (`icmass.interpret.report`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from icmass.bootstrap import haloes_of
from icmass.errors import InputError
from icmass.interpret.ablations import AblationResult
from icmass.interpret.attribution.attribute import Attributed, attributions
from icmass.interpret.attribution.methods import GradCam, IntegratedGradients, Method
from icmass.interpret.faithfulness import FaithfulnessSummary, faithfulness
from icmass.interpret.interventions.agn import EncircledEnergy
from icmass.interpret.interventions.measure import EffectSummary, measurable, measure_all
from icmass.interpret.interventions.standard import standard_interventions
from icmass.interpret.proxies import by_symbol
from icmass.interpret.statistics.galaxies import Galaxies, galaxies
from icmass.interpret.statistics.number import plain
from icmass.interpret.statistics.sanity import Sanity, check_sanity, permuted
from icmass.interpret.statistics.summary import Statistics, summarise
from icmass.interpret.subject import Subject
from icmass.progress import progress

__all__ = [
    "SHUFFLED_MASSES",
    "SHUFFLED_WEIGHTS",
    "Explanation",
    "Plan",
    "explain",
    "sample_rows",
]

#: Names of the networks that learnt nothing.
SHUFFLED_WEIGHTS: Final = "weights shuffled"
SHUFFLED_MASSES: Final = "trained on masses of other clusters"

_CLUSTERS_PER_BATCH: Final = 32


@dataclass(frozen=True)
class Plan:
    """How much is done.

    Attributes
    ----------
    measured : int
        Clusters, at most, whose gradients are taken: each needs up to 0.3 MB for the statistics.
    sample : int
        Clusters that are changed and asked again, and on which networks that learnt nothing are
        looked at.
    tested : int
        Clusters on which methods of attribution are tested.
    shown : int
        Clusters in the gallery.
    methods : tuple of str
        Methods that are tested, besides Grad-CAM where there are convolutions over images.
    n_steps : int
        Of integrated gradients.
    baseline : str
        empty or background: what is compared with.
    seed : int
        Of samples, of all that is drawn, and of the bootstrap.
    n_resamples : int
        Of the bootstrap.
    """

    measured: int = 4000
    sample: int = 300
    tested: int = 100
    shown: int = 5
    methods: tuple[str, ...] = (
        "integrated-gradients",
        "saliency",
        "input-x-gradient",
        "smoothgrad",
        "occlusion",
    )
    n_steps: int = 64
    baseline: str = "empty"
    seed: int = 0
    n_resamples: int = 200

    def __post_init__(self) -> None:
        for name in ("measured", "sample", "tested", "shown"):
            if getattr(self, name) < 2:
                raise InputError(f"{name}: must be at least 2 clusters; got {getattr(self, name)}.")

    def method(self, name: str) -> str | Method:
        """Return the method of this `name`, integrated gradients with the steps of the plan."""
        return IntegratedGradients(self.n_steps) if name == IntegratedGradients.name else name


@dataclass(frozen=True)
class Explanation:
    """What was found out about networks.

    Attributes
    ----------
    subject : Subject
    plan : Plan
    statistics : Statistics
        Of the gradients by ln(1 + N) of all clusters.
    sanity : tuple of Sanity
        Of networks that learnt nothing.
    effects : tuple of EffectSummary
        Of interventions.
    faithfulness : tuple of FaithfulnessSummary
    maps : tuple of Attributed
        Integrated gradients by ln(1 + N) of the clusters that these were tested on.
    galaxies : Galaxies or None
        None where networks do not look at galaxies.
    ablations : tuple of AblationResult
        Empty where none were trained.
    notes : tuple of str
        What was left out, and why.
    """

    subject: Subject
    plan: Plan
    statistics: Statistics
    sanity: tuple[Sanity, ...]
    effects: tuple[EffectSummary, ...]
    faithfulness: tuple[FaithfulnessSummary, ...]
    maps: tuple[Attributed, ...]
    galaxies: Galaxies | None = None
    ablations: tuple[AblationResult, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers in values that JSON can hold."""
        return {
            "statistics": self.statistics.to_dict(),
            "sanity": [one.to_dict() for one in self.sanity],
            "interventions": [one.to_dict() for one in self.effects],
            "faithfulness": [one.to_dict() for one in self.faithfulness],
            "galaxies": None if self.galaxies is None else self.galaxies.to_dict(),
            "ablations": [plain(one) for one in self.ablations],
            "notes": list(self.notes),
        }


def explain(
    subject: Subject,
    *,
    slopes: Mapping[str, float],
    psf: EncircledEnergy | None = None,
    control: Subject | None = None,
    ablations: Sequence[AblationResult] = (),
    plan: Plan | None = None,
) -> Explanation:
    """Find out what networks look at.

    Parameters
    ----------
    subject : Subject
        At least two haloes.
    slopes : mapping of str to float
        d ln(proxy) / d ln M of n_phot, n_phot_500 and lx_bolometric_erg_s; those that are absent
        are left out.
    psf : EncircledEnergy, optional
        Of the telescope; without it no AGN are put in.
    control : Subject, optional
        The same clusters before networks that were trained on masses of other clusters.
    ablations : sequence of AblationResult
        To be told with the rest.
    plan : Plan, optional

    Raises
    ------
    InputError
        If the catalog lacks R500c, or has fewer than two haloes.
    """
    wanted = plan or Plan()
    rows = sample_rows(subject, wanted.measured, wanted.seed)
    with progress("gradients", len(rows)) as advance:
        statistics = summarise(
            subject,
            _gradients(subject, rows),
            slopes=slopes,
            seed=wanted.seed,
            n_resamples=wanted.n_resamples,
            report=advance,
        )
    asked = subject.select(sample_rows(subject, wanted.sample, wanted.seed))
    sanity = _check(asked, control, slopes, wanted)
    effects, notes = _intervene(asked, slopes, psf, wanted)
    tested, maps, unfit = _test(subject, wanted)
    return Explanation(
        subject,
        wanted,
        statistics,
        sanity,
        effects,
        tested,
        tuple(maps),
        _galaxies(subject, wanted),
        tuple(ablations),
        (*notes, *unfit),
    )


def sample_rows(subject: Subject, n: int, seed: int) -> NDArray[np.int64]:
    """Return rows drawn without bias, ascending; the same for the same catalog.

    Parameters
    ----------
    subject : Subject
    n : int
        How many at most.
    seed : int

    Returns
    -------
    ndarray of int, shape (at most n,)
    """
    order = np.random.default_rng([seed, len(subject)]).permutation(len(subject))
    return np.sort(order[:n])


def _gradients(
    subject: Subject, rows: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    found: Iterator[Attributed] = attributions(
        subject, "saliency", rows=rows, batch_size=_CLUSTERS_PER_BATCH
    )
    for one in found:
        yield one.rows, one.values


def _check(
    asked: Subject, control: Subject | None, slopes: Mapping[str, float], plan: Plan
) -> tuple[Sanity, ...]:
    others = {SHUFFLED_WEIGHTS: permuted(asked, plan.seed)}
    if control is not None:
        others[SHUFFLED_MASSES] = control.select(sample_rows(control, plan.sample, plan.seed))
    found = []
    with progress("networks that learnt nothing", len(others) * len(asked)) as advance:
        for name, other in others.items():
            found.append(
                check_sanity(
                    asked,
                    other,
                    _gradients,
                    name=name,
                    slopes=slopes,
                    seed=plan.seed,
                    n_resamples=plan.n_resamples,
                    report=advance,
                )
            )
    return tuple(found)


def _intervene(
    asked: Subject, slopes: Mapping[str, float], psf: EncircledEnergy | None, plan: Plan
) -> tuple[tuple[EffectSummary, ...], list[str]]:
    made, notes = standard_interventions(asked, psf, seed=plan.seed)
    wanted = by_symbol(slopes)
    known = measurable(asked.catalog, wanted)
    absent = ", ".join(name for name in wanted if name not in known)
    if absent:
        notes.append(
            f"{absent}: left out of interventions; {asked.catalog.path} does not keep photons of "
            "gas and AGN apart."
        )
    halo = haloes_of(asked.catalog)
    with progress("interventions", len(made) * len(asked)) as advance:
        effects = tuple(
            one.summary(halo, n_resamples=plan.n_resamples, seed=plan.seed)
            for one in measure_all(asked, made, slopes=known, report=advance)
        )
    return effects, notes


def _test(
    subject: Subject, plan: Plan
) -> tuple[tuple[FaithfulnessSummary, ...], list[Attributed], list[str]]:
    """Test methods of attribution; return the maps of integrated gradients and notes as well."""
    rows = sample_rows(subject, plan.tested, plan.seed)
    notes = []
    methods = [plan.method(name) for name in plan.methods]
    try:
        next(attributions(subject, GradCam.name, rows=rows[:1]))
        methods.append(GradCam.name)
    except InputError as error:
        notes.append(f"{GradCam.name}: left out; {error}")
    integrated = IntegratedGradients.name
    with progress("methods of attribution", (1 + len(methods)) * len(rows)) as advance:
        maps = list(
            attributions(
                subject,
                plan.method(integrated),
                baseline=plan.baseline,
                rows=rows,
                report=advance,
            )
        )
        found = faithfulness(
            subject,
            methods,
            rows,
            baseline=plan.baseline,
            known={integrated: maps},
            seed=plan.seed,
            report=advance,
        )
    halo = haloes_of(subject.catalog)[rows]
    summaries = (one.summary(halo, n_resamples=plan.n_resamples, seed=plan.seed) for one in found)
    return tuple(summaries), maps, notes


def _galaxies(subject: Subject, plan: Plan) -> Galaxies | None:
    if not subject.sees_galaxies:
        return None
    asked = subject.select(sample_rows(subject, plan.tested, plan.seed))
    with progress("galaxies", 2 * len(asked)) as advance:
        return galaxies(
            asked,
            plan.method(IntegratedGradients.name),
            haloes_of(asked.catalog),
            n_resamples=plan.n_resamples,
            seed=plan.seed,
            report=advance,
        )
