"""Which structures share the field of a halo, where they are, and how they move.

The body of the halo (shape, substructures, companions, everything within the neighbourhood) is
drawn once and turned for each line of sight; only what lies further along it is drawn anew.
"""

from typing import TYPE_CHECKING

from icmass.simulate.population.structure_list import Filaments, StructureKind, Structures

if TYPE_CHECKING:
    from icmass.simulate.population.haloes import MainHalo
    from icmass.simulate.population.parameters import Population

__all__ = ["Filaments", "StructureKind", "Structures", "draw_structures"]
