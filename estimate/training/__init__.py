"""Training: plans, one fold at a time on any number of workers, checkpoints, resumption."""

from icmass.estimate.training.driver import (
    Progress,
    chosen_clusters,
    is_first_device,
    run_folds,
    train,
    training_workers,
)
from icmass.estimate.training.plan import Plan, make_plan

__all__ = [
    "Plan",
    "Progress",
    "chosen_clusters",
    "is_first_device",
    "make_plan",
    "run_folds",
    "train",
    "training_workers",
]
