"""One scene observed: a row of the catalog with its images, galaxies and truth."""

from icmass.simulate.rows.row import Row, collect, observe_scene
from icmass.simulate.rows.settings import RowSettings

__all__ = ["Row", "RowSettings", "collect", "observe_scene"]
