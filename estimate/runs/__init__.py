"""Run directories: what an estimator is made of, written once and checked whenever it is read."""

from icmass.estimate.runs.run import CHECKPOINT, HISTORY, OUT_OF_FOLD, WEIGHTS, Fold, Run
from icmass.estimate.runs.weights import load_weights, save_weights

__all__ = [
    "CHECKPOINT",
    "HISTORY",
    "OUT_OF_FOLD",
    "WEIGHTS",
    "Fold",
    "Run",
    "load_weights",
    "save_weights",
]
