"""Cause, not gradient: data are changed and networks asked again."""

from icmass.interpret.interventions.agn import SOURCES, EncircledEnergy, PutAgn, agn_shares
from icmass.interpret.interventions.changes import (
    AverageAzimuth,
    Background,
    DoubleOrigin,
    Exposure,
    RemoveCore,
    RemoveOrigin,
    RemoveOutskirts,
    RotateOutskirts,
    ShuffleMasses,
)
from icmass.interpret.interventions.exchange import MeanCore, SwapGas
from icmass.interpret.interventions.measure import (
    PROXIES,
    Effect,
    EffectSummary,
    Spread,
    measure,
    measure_all,
)
from icmass.interpret.interventions.standard import Intervention, standard_interventions

__all__ = [
    "PROXIES",
    "SOURCES",
    "AverageAzimuth",
    "Background",
    "DoubleOrigin",
    "Effect",
    "EffectSummary",
    "EncircledEnergy",
    "Exposure",
    "Intervention",
    "MeanCore",
    "PutAgn",
    "RemoveCore",
    "RemoveOrigin",
    "RemoveOutskirts",
    "RotateOutskirts",
    "ShuffleMasses",
    "Spread",
    "SwapGas",
    "agn_shares",
    "measure",
    "measure_all",
    "standard_interventions",
]
