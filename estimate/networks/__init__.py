"""Networks from images, galaxies and observables to features of a cluster, behind one registry.

A new network is one class: derive it from `Network`, decorate it with `register`, import it here.
"""

from icmass.estimate.networks.base import NETWORKS, Defaults, InputShape, Network, network_class
from icmass.estimate.networks.paper import PaperMultiband, PaperMultimodal, PaperSingle
from icmass.estimate.networks.profile import ProfileNetwork
from icmass.estimate.networks.resnet import ResNet

__all__ = [
    "NETWORKS",
    "Defaults",
    "InputShape",
    "Network",
    "PaperMultiband",
    "PaperMultimodal",
    "PaperSingle",
    "ProfileNetwork",
    "ResNet",
    "network_class",
]
