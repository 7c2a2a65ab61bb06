"""Replay of a recorded fault: the failed episode is run again, in the current process."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evonet.architecture import Architecture
from evonet.errors import ConfigError
from evonet.evaluation.results import EpisodeResults, Fault
from evonet.experiment.build import build_fitness
from evonet.experiment.config.config import Config
from evonet.experiment.config.permissions import restore_permissions
from evonet.experiment.run_files.fault_journal import fault_from
from evonet.experiment.run_files.individuals import individual_from
from evonet.experiment.run_files.run_directory import CONFIG, journal_name
from evonet.experiment.training_episodes import build_training_episodes
from evonet.files.bounded import read_lines
from evonet.files.directory import reading_below
from evonet.files.fields import Fields
from evonet.individual import Individual

_IN_THIS_PROCESS = ("evaluation.workers=1", "faults.timeout=null")
_TIMEOUT_SECONDS = 600.0  # seconds after which a hanging replay prints its stack and ends


@dataclass(frozen=True)
class RecordedFault:
    """A fault in the journal of its run.

    Attributes:
        run: the run directory.
        number: the fault's line in the journal, from 0.
        generation: the generation in which the episode failed.
        fault: the fault; its `individual` is an id.
        fields: the fields of the line, which also give the places of the individual's genome and normaliser.
    """

    run: Path
    number: int
    generation: int
    fault: Fault
    fields: Fields

    @classmethod
    def read(cls, run: Path, number: int) -> RecordedFault:
        """Read fault `number`, counted from 0, of a run's journal.

        Raises:
            ConfigError: the journal has no such fault, or cannot be read.
        """
        path = run / journal_name("faults")
        found, faults = None, 0
        with reading_below(path) as file:
            for fault, fields in read_lines(file, lambda fields: (fault_from(fields), fields), "fault"):
                if faults == number:
                    found = cls(run, number, fields.integer("generation"), fault, fields)
                faults += 1
        if not faults:
            raise ConfigError(f"{run} has no faults")
        if found is None:
            raise ConfigError(f"{run} has faults 0 to {faults - 1}, no fault {number}")
        return found

    def individual(self, architecture: Architecture) -> Individual:
        """The individual whose episode failed.

        Raises:
            ConfigError: the genome or normaliser does not fit the architecture.
        """
        path = self.run / journal_name("faults")
        with reading_below(self.run / journal_name("arrays")) as arrays:
            try:
                return individual_from(self.fields, architecture, arrays)
            except ValueError as error:
                raise ConfigError(f"{path}:{self.number + 1}: the genome does not fit the run: {error}") from error

    def replay(self, allow_imports: Sequence[str] = ()) -> EpisodeResults:
        """Run the episode again in the current process; returns results of shape `(1, 1)`.

        If the episode crashes or takes more than ten minutes, Python prints the stack and the process ends.

        Args:
            allow_imports: modules that the run's config may import, besides those that were allowed for it before.

        Raises:
            ConfigError: a file of the run is invalid, or names modules that may not be imported.
        """
        allowed = (*allow_imports, *restore_permissions(self.run))
        config = Config.load(str(self.run / CONFIG), _IN_THIS_PROCESS, allowed, follow_links=False)
        fitness = build_fitness(config)
        seeds = np.array([self.fault.seed], dtype=np.int64)
        individual = self.individual(fitness.architecture)
        faulthandler.enable(sys.__stderr__ or 2)
        faulthandler.dump_traceback_later(_TIMEOUT_SECONDS, exit=True, file=sys.__stderr__ or 2)
        try:
            _, max_steps = build_training_episodes(config).in_generation(self.generation)
            limit = {} if max_steps is None else {"max_steps": max_steps}
            return fitness(individual.genome[None, :], seeds, individual.normaliser, **limit)
        finally:
            faulthandler.cancel_dump_traceback_later()
            fitness.close()
