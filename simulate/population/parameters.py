"""The numbers that make a population: one YAML file, every value with its reason beside it.

A file of a user needs only the keys that differ from those of a shipped population, which it names
under ``base``.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from icmass.config.base import Config, read_yaml, shown
from icmass.errors import InputError
from icmass.simulate.population.galaxies import GalaxyParameters
from icmass.simulate.population.gas_profile import GasParameters
from icmass.simulate.population.haloes import HaloParameters
from icmass.simulate.population.members import AgnParameters
from icmass.simulate.population.structures import StructureParameters

__all__ = ["Population", "available_populations"]

_DATA = files("icmass.simulate.population") / "data"
_SECTIONS: dict[str, type[Config]] = {
    "haloes": HaloParameters,
    "gas": GasParameters,
    "structures": StructureParameters,
    "galaxies": GalaxyParameters,
    "agn": AgnParameters,
}


class Population(BaseModel):
    """All parameters of the embedded population, by section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    haloes: HaloParameters
    gas: GasParameters
    structures: StructureParameters
    galaxies: GalaxyParameters
    agn: AgnParameters

    @classmethod
    def load(cls, name_or_path: str | Path = "magneticum") -> "Population":
        """Read a shipped population by its name, or a YAML file.

        Parameters
        ----------
        name_or_path : str or path
            One of `available_populations`, or a file that ends in ``.yaml`` or ``.yml``.

        Raises
        ------
        InputError
            If there is no such population, or a key is unknown, missing or wrong.
        """
        source = str(name_or_path)
        values = _merged(source)
        unknown = sorted(set(values) - set(_SECTIONS))
        if unknown:
            word = unknown[0] if unknown[0].isidentifier() else shown(unknown[0])
            raise InputError(f"{source}: {word}: unknown section; known: {', '.join(_SECTIONS)}.")
        parts: dict[str, Any] = {
            section: _parsed(model, values.get(section, {}), f"{source}: {section}")
            for section, model in _SECTIONS.items()
        }
        return cls(**parts)

    def alone(self) -> "Population":
        """Return this population for a light cone, where every other halo is one of its own.

        Without companions, neighbours and filaments; substructures stay.
        """
        structures = self.structures
        others = {
            "companions": structures.companions.model_copy(update={"mean_number": 0.0}),
            "neighbours": structures.neighbours.model_copy(update={"density_mpc_h": 0.0}),
            "filaments": structures.filaments.model_copy(update={"max_number": 0}),
        }
        return self.model_copy(update={"structures": structures.model_copy(update=others)})


def available_populations() -> tuple[str, ...]:
    """Names of the populations that come with the package."""
    names = (Path(entry.name) for entry in _DATA.iterdir())
    return tuple(sorted(name.stem for name in names if name.suffix == ".yaml"))


def _merged(source: str) -> dict[str, Mapping[str, Any]]:
    """Sections of a file over those of its base."""
    values = read_yaml(_path(source))
    base = values.pop("base", None)
    for section, keys in values.items():
        if section in _SECTIONS and not isinstance(keys, dict):
            must = "must hold lines of 'key: value'"
            raise InputError(f"{source}: {section}: {must}; got {shown(keys)}.")
    if base is None:
        return values
    if base not in available_populations() or base == source:
        known = ", ".join(available_populations())
        raise InputError(f"{source}: base: must be another of {known}; got {shown(base)}.")
    below = _merged(base)
    return _over(below, values)


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of both, those of the second winning, at every depth."""
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            merged[key] = _over(below[key], above[key])
    return merged


def _parsed(model: type[Config], values: Mapping[str, Any], where: str) -> Any:
    """Check a section and the sections in it, so that errors name the innermost key."""
    parts = dict(values)
    for key, field in model.model_fields.items():
        below = field.annotation
        if isinstance(below, type) and issubclass(below, Config):
            inner = values.get(key, {})
            if not isinstance(inner, dict):
                must = "must hold lines of 'key: value'"
                raise InputError(f"{where}.{key}: {must}; got {shown(inner)}.")
            parts[key] = _parsed(below, inner, f"{where}.{key}")
    return model.parse(parts, lambda key: f"{where}.{key}")


def _path(source: str) -> Path:
    if source in available_populations():
        return Path(str(_DATA / f"{source}.yaml"))
    if Path(source).suffix in (".yaml", ".yml"):
        return Path(source)
    raise InputError(
        f"population: must be one of {', '.join(available_populations())} or a YAML file; "
        f"got '{source}'."
    )
