"""What can be asked of a job: typed keys with defaults, read from YAML and overridden by options.

Unknown keys and values out of range are refused in one line that names the key, what it must be and
what it was. Nothing here knows the simulation; units stand in the names of the keys.
"""

from icmass.config.base import Config
from icmass.config.cutouts import CutoutsConfig
from icmass.config.observe import ObserveConfig
from icmass.config.simulate import SimulateConfig
from icmass.config.survey import SurveyConfig
from icmass.config.train import TrainConfig

__all__ = [
    "Config",
    "CutoutsConfig",
    "ObserveConfig",
    "SimulateConfig",
    "SurveyConfig",
    "TrainConfig",
]
