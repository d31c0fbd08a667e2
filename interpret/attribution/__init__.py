"""Which pixels a prediction hangs on: attributions by Captum, in physical units."""

from icmass.interpret.attribution.attribute import Attributed, attributions
from icmass.interpret.attribution.baselines import BASELINES, require_baseline
from icmass.interpret.attribution.methods import (
    METHODS,
    GradCam,
    InputXGradient,
    IntegratedGradients,
    Method,
    Occlusion,
    Saliency,
    SmoothGrad,
    make_method,
)
from icmass.interpret.attribution.question import Question
from icmass.interpret.attribution.spaces import SPACES
from icmass.interpret.attribution.stored import read_attributions, write_attributions

__all__ = [
    "BASELINES",
    "METHODS",
    "SPACES",
    "Attributed",
    "GradCam",
    "InputXGradient",
    "IntegratedGradients",
    "Method",
    "Occlusion",
    "Question",
    "Saliency",
    "SmoothGrad",
    "attributions",
    "make_method",
    "read_attributions",
    "require_baseline",
    "write_attributions",
]
