"""The loop of a run: generations with their records and checkpoints, then pruning, refinement, test and summary."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from evonet.champion import Champion
from evonet.errors import CheckpointError, EvonetError, RunDirectoryError
from evonet.experiment.background import in_background
from evonet.experiment.config.permissions import flags_for
from evonet.experiment.extra_generations import has_extra_generations
from evonet.experiment.fronts import front_entry
from evonet.experiment.interruption import Interruption
from evonet.experiment.pruning import prune
from evonet.experiment.refinement import refine
from evonet.experiment.run_files.checkpoint import CheckpointWriter
from evonet.experiment.run_files.fault_journal import faults_recorded
from evonet.experiment.run_files.run_directory import RunDirectory
from evonet.experiment.run_files.tracking import Tracker, make_trackers
from evonet.experiment.run_warnings import time_limit_warning
from evonet.experiment.session import Session
from evonet.experiment.training_episodes import build_training_episodes
from evonet.generation import Generation
from evonet.shell import command

Watcher = Callable[[Generation, float], None]
"""Called with each generation and the seconds since the start of the run."""

_RESUME, _START_AGAIN = "resume with", "nothing was saved yet; start again with"


def run_to_end(
    session: Session,
    directory: RunDirectory,
    watch: Watcher,
    interruption: Interruption,
    *,
    check: bool = False,
    reason: str | None = None,
) -> dict[str, Any]:
    """Run a session to its end; writes and returns the summary.

    A run that is stopped earlier saves its last finished generation.

    Args:
        session: the objects of the run.
        directory: the run directory.
        watch: called with each generation and the run's seconds.
        interruption: raises the signals that stop the run.
        check: whether the run begins with a trial of its environment.
        reason: the reason why no further generation is run, and no pruning or refinement; by default the stop
            rule decides.
    """
    config = session.config
    writer = CheckpointWriter(directory.files, config.settings.checkpoints.build(), session.checkpoint)
    with contextlib.ExitStack() as stack:
        resume_command = stack.enter_context(_resume_advice(session, directory, interruption))
        stack.enter_context(contextlib.closing(writer))
        stack.enter_context(_saved_on_error(writer))
        stack.enter_context(faults_recorded(directory, session.evolution, config.allowed_imports))
        trackers = make_trackers(config.settings.tracking, directory, config.resolved, session.evolution.generations)
        for tracker in trackers:
            stack.enter_context(contextlib.closing(tracker))
        loop = _RunLoop(session, directory, writer, trackers, watch, interruption, resume_command)
        why = loop.run_generations(check=check, reason=reason)
        if session.evolution.archive is not None or has_extra_generations(config):
            writer.flush()  # what follows may take long, and a kill then loses no generation
        # Archive and front are the algorithm's, whose place pruning or refinement takes.
        entries = session.validate_archive(directory)
        entries |= front_entry(config, session.evolution, session.validation_fitness)
        if reason is None:
            entries |= prune(config, session.evolution, session.log.next_id, loop.run_extra_generation)
            entries |= refine(config, session.evolution, session.log.next_id, loop.run_extra_generation)
        return loop.finish(why, entries)


class _RunLoop:
    """The loop of a run, and what each generation is written to."""

    def __init__(
        self,
        session: Session,
        directory: RunDirectory,
        writer: CheckpointWriter,
        trackers: Sequence[Tracker],
        watch: Watcher,
        interruption: Interruption,
        resume_command: str,
    ) -> None:
        self._session = session
        self._directory = directory
        self._writer = writer
        self._trackers = trackers
        self._watch = watch
        self._interruption = interruption
        self._resume_command = resume_command
        self._started = time.monotonic() - (0.0 if session.checkpoint is None else session.checkpoint.seconds)

    @property
    def _seconds(self) -> float:
        """Seconds since the start of the run, without pauses between a stop and a resumption."""
        return time.monotonic() - self._started

    def run_generations(self, *, check: bool, reason: str | None) -> str:
        """Run generations until the run is over; returns the reason."""
        session = self._session
        reason = reason or session.stop_rule.reason(self._seconds)
        if check and reason is None:
            session.check()
        while reason is None:
            generation = session.next_generation(self._started)
            if generation is None:
                return "seconds"
            with self._interruption.deferred():
                seconds = self._record(generation)
                reason = session.stop_rule.update(generation, seconds)
                make_checkpoint = session.checkpoint_factory(self._directory, generation.number, seconds)
                self._writer.offer(generation.number, make_checkpoint)
                self._interruption.advice = f"{_RESUME}: {self._resume_command}"
            if generation.number == 0:
                _, max_steps = build_training_episodes(session.config).in_generation(0)
                if warning := time_limit_warning(session.fitness, generation.results, max_steps):
                    session.say(warning)
            self._watch(generation, seconds)
        return reason

    def run_extra_generation(self) -> Generation | None:
        """Run a generation of pruning or refinement, of which no checkpoint is made; None if the time was up."""
        self._session.last_state = self._session.evolution.state()  # restored if the time is up
        generation = self._session.next_generation(self._started)
        if generation is not None:
            with self._interruption.deferred():
                seconds = self._record(generation)
            self._watch(generation, seconds)
        return generation

    def _record(self, generation: Generation) -> float:
        """Write a generation to the journals and the trackers; returns the seconds since the start of the run."""
        seconds = self._seconds
        metrics = self._session.log_generation(generation, seconds, self._directory)
        for tracker in self._trackers:
            tracker.write(metrics)
        return seconds

    def finish(self, reason: str, entries: dict[str, Any]) -> dict[str, Any]:
        """Test the champion and write the results; returns the summary, with these `entries` too."""
        session, directory = self._session, self._directory
        with in_background(self._writer.flush):  # the disk is written while the test runs
            test_started = time.monotonic()
            champion = session.evolution.champion and session.test(session.evolution.champion)
            test_seconds = time.monotonic() - test_started
        with self._interruption.deferred():
            if champion is not None:
                self._write_champion(champion)
            times = {"seconds": self._seconds, "test_seconds": test_seconds}
            summary = session.summary(champion, directory.path, times, reason) | entries
            directory.write_summary(summary)
        return summary

    def _write_champion(self, champion: Champion) -> None:
        """Write the tested champion into the run directory, and its score to the trackers."""
        assert champion.test is not None
        self._directory.write_champion(champion)
        for tracker in self._trackers:
            tracker.write_test(champion.test.mean, self._session.evolution.generations - 1)


@contextlib.contextmanager
def _resume_advice(session: Session, directory: RunDirectory, interruption: Interruption) -> Iterator[str]:
    """A context that adds the commands that continue or end the run to an error that a user can repair.

    Yields:
        The command that resumes the run.
    """
    flags = flags_for(directory.location, session.config.allowed_imports)
    resume_command = command("evonet", "resume", directory.path, *flags)
    finish = command("evonet", "finish", directory.path, *flags)
    interruption.advice = f"{_START_AGAIN if session.last_state is None else _RESUME}: {resume_command}"
    try:
        yield resume_command
    except (EvonetError, KeyboardInterrupt) as error:
        if "evonet resume" not in str(error):
            error.add_note(interruption.advice)
        if isinstance(error, KeyboardInterrupt) and interruption.advice.startswith(_RESUME):
            error.add_note(f"or end it here and test its champion: {finish}")
        raise


@contextlib.contextmanager
def _saved_on_error(writer: CheckpointWriter) -> Iterator[None]:
    """A context in which an error saves the last finished generation, unless the disk is what failed."""
    try:
        yield
    except RunDirectoryError:
        raise
    except BaseException:
        with contextlib.suppress(RunDirectoryError, CheckpointError):
            writer.flush()
        raise
