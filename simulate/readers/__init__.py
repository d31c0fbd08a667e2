"""From a simulation to `Gas`: snapshots of many codes, plain arrays, yt data sources."""

from icmass.simulate.readers.arrays import gas_from_arrays
from icmass.simulate.readers.load import load_gas
from icmass.simulate.readers.report import census_error, input_report
from icmass.simulate.readers.yt_source import gas_from_yt

__all__ = ["census_error", "gas_from_arrays", "gas_from_yt", "input_report", "load_gas"]
