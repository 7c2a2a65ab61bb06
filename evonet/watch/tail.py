"""Reads the new lines of a journal that another process is writing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from evonet.errors import ConfigError
from evonet.experiment.run_files.run_directory import journal_name
from evonet.files.bounded import read_lines
from evonet.files.directory import reading_below
from evonet.files.fields import Fields

_Record = TypeVar("_Record")


class Tail(Generic[_Record]):
    """The records that a journal has got since they were last read.

    Args:
        run: the run directory.
        name: name of the journal.
        parse: makes a record of a line's object; it raises ValueError if the object is invalid.
    """

    def __init__(self, run: Path, name: str, parse: Callable[[Fields], _Record]) -> None:
        self._path = run / journal_name(name)
        self._name = name
        self._parse = parse
        self._position = 0

    def new(self) -> tuple[list[_Record], bool]:
        """The new records, and whether they begin the journal anew: the first time, and after a run was resumed.

        Raises:
            ConfigError: the journal cannot be read, or a line is not a valid record.
        """
        anew = self._position == 0
        try:
            return self._read(), anew
        except ConfigError:
            if anew:
                raise
        self._position = 0  # a resumed run may have rewritten lines that were read before
        return self._read(), True

    def _read(self) -> list[_Record]:
        records = []
        with reading_below(self._path) as file:
            if os.fstat(file.fileno()).st_size < self._position:
                raise ConfigError(f"{file.name}: is shorter than before")
            file.seek(self._position)
            for record in read_lines(file, self._parse, self._name, torn_end=True):
                records.append(record)
                self._position = file.tell()
        return records
