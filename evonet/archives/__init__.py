"""Archives of many good answers that differ in their measures, one kind a file.

To add one, subclass `Archive`, or `CellArchive` if it divides the space of measures into cells, and enter it in
`ARCHIVES` by its module. The classes are imported when they are first used: `from evonet.archives import GridArchive`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonet.lazy import lazy_attributes

if TYPE_CHECKING:
    from evonet.archives.archive import Archive as Archive
    from evonet.archives.archive import Insertion as Insertion
    from evonet.archives.cells import CellArchive as CellArchive
    from evonet.archives.cvt import CVTArchive as CVTArchive
    from evonet.archives.elites import Elite as Elite
    from evonet.archives.elites import Elites as Elites
    from evonet.archives.grid import GridArchive as GridArchive
    from evonet.archives.unstructured import UnstructuredArchive as UnstructuredArchive

ARCHIVES = {
    "grid": "evonet.archives.grid:GridArchive",
    "cvt": "evonet.archives.cvt:CVTArchive",
    "unstructured": "evonet.archives.unstructured:UnstructuredArchive",
}
"""Where each archive lives, by name."""

_HOMES = {name: module for module, _, name in (place.partition(":") for place in ARCHIVES.values())}
_HOMES |= {
    "Archive": "evonet.archives.archive",
    "Insertion": "evonet.archives.archive",
    "CellArchive": "evonet.archives.cells",
    "Elite": "evonet.archives.elites",
    "Elites": "evonet.archives.elites",
}

__all__ = ["ARCHIVES", *_HOMES]  # noqa: PLE0604 - strings all

__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
