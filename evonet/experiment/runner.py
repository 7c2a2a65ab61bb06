"""The functions `run`, which runs a config, and `resume`, which continues a run from its last checkpoint."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonet.cluster.executor import Cluster, FuturesExecutor
from evonet.errors import CheckpointError, ConfigError, RunInUse
from evonet.experiment.config.config import Config, with_defaults
from evonet.experiment.config.differences import differences
from evonet.experiment.config.permissions import flags_for, remember_permissions, restore_permissions
from evonet.experiment.extra_generations import has_extra_generations
from evonet.experiment.interruption import interruptible
from evonet.experiment.run_files.checkpoint import Checkpoint, checkpoints_in, usable_checkpoint
from evonet.experiment.run_files.run_directory import CONFIG, SUMMARY, RunDirectory, journal_name, new_run_directory
from evonet.experiment.run_files.run_finder import require_run
from evonet.experiment.run_files.summaries import read_run_summary
from evonet.experiment.run_loop import Watcher, run_to_end
from evonet.experiment.session import Session
from evonet.files.directory import Directory
from evonet.fingerprint import changes, fingerprint
from evonet.foreign import working_directory_kept
from evonet.shell import allowing, command

_CHANGEABLE = ("stop", "checkpoints", "evaluation.workers", "evaluation.instances")


def run(
    config: Config,
    output: Path | None = None,
    watch: Watcher = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
    executor: FuturesExecutor | Cluster | None = None,
    *,
    check: bool = True,
    started: Callable[[Path], None] = lambda _: None,
    remember_imports: bool = True,
) -> dict[str, Any]:
    """Run a config to its end.

    Args:
        config: the config.
        output: the run directory; by default a new one below `runs`.
        watch: called with each generation and the seconds since the start.
        say: called with each warning.
        executor: an executor that runs the episodes, instead of this machine; the results are the same.
        check: whether the run begins with a trial of its environment, whose findings `say` gets: an episode of a few
            steps that is run twice, with another one between. It changes no result, and takes the time of two episodes
            of at most 50 steps. There is none where a kernel stands in for the environment.
        started: called with the absolute path of the run directory before the first generation.
        remember_imports: whether the modules that the config may import are remembered in the user's own settings, so
            that later commands may import them for this run; see `evonet.experiment.config.permissions`.

    Returns:
        The run's summary, as in `run.json`.

    Raises:
        EvonetError: the config cannot be run, or its files cannot be written.
        KeyboardInterrupt: Ctrl-C or SIGTERM; `resume` continues the run.
    """
    with contextlib.ExitStack() as stack:
        start = stack.enter_context(working_directory_kept())
        interruption = stack.enter_context(interruptible())
        session = stack.enter_context(Session(config, say, executor))
        path = output or new_run_directory(config.settings.name, config.settings.seed, start)
        directory = stack.enter_context(RunDirectory(path, start=start))
        _warn_of_missing_lock(directory, say)
        directory.write_text(CONFIG, config.to_yaml(), sync_names=False)
        started(directory.location)
        if remember_imports:
            remember_permissions(directory.location, config.allowed_imports)
        return run_to_end(session, directory, watch, interruption, check=check)


def resume(
    path: Path,
    overrides: Sequence[str] = (),
    allow_imports: Sequence[str] = (),
    watch: Watcher = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
    executor: FuturesExecutor | Cluster | None = None,
    *,
    reason: str | None = None,
    started: Callable[[Path], None] = lambda _: None,
    remember_imports: bool = True,
) -> dict[str, Any]:
    """Continue a stopped run, or a finished run with raised limits.

    The results and files, except for times, are the same as those of an uninterrupted run.

    Args:
        path: the run directory.
        overrides: `key.path=value` of the settings that may change: `stop`, `checkpoints`,
            `evaluation.workers` and `evaluation.instances`.
        allow_imports: modules that the config may import, besides those that were allowed for the run before.
        watch: called with each generation and the run's seconds in total.
        say: called with each warning.
        executor: an executor that runs the episodes, instead of this machine; it may differ from the earlier one.
        reason: the reason why the run ends now, without another generation; by default it continues.
        started: called with the absolute path of the run directory before the next generation.
        remember_imports: as for `run`.

    Returns:
        The run's summary, as in `run.json`.

    Raises:
        EvonetError: the run cannot continue; its files are unchanged unless they could not be written.
        KeyboardInterrupt: Ctrl-C or SIGTERM; `resume` continues the run.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(working_directory_kept())
        interruption = stack.enter_context(interruptible())
        directory = stack.enter_context(RunDirectory(path, resumed=True))
        _warn_of_missing_lock(directory, say)
        config = resumed_config(path, overrides, allow_imports)
        if remember_imports:
            remember_permissions(directory.location, config.allowed_imports)
        checkpoint = usable_checkpoint(directory.files, say, config.allowed_imports)
        summary = _summary(directory.files)
        if checkpoint is None and summary is not None:
            raise CheckpointError(f"{path} holds a finished run without a checkpoint to continue from")
        if checkpoint is not None:
            _refuse_changes(config, checkpoint, path)
            _warn_of_changes(checkpoint, directory.files, say)
        session = stack.enter_context(Session(config, say, executor, resumed=checkpoint is not None))
        if checkpoint is not None:
            session.restore(checkpoint)
            over = session.end_reason or _out_of_time(summary, checkpoint, config)
            ended = summary is not None and summary["stopped_by"] == "finish"  # without pruning and refinement
            if over is not None and summary is not None and not (ended and has_extra_generations(config)):
                # Generations of pruning and refinement come after the last checkpoint, and stay in the journals.
                if summary.keys().isdisjoint(("pruning", "refinement")):
                    directory.resume(checkpoint.journals)
                again = command("evonet", "resume", path, *flags_for(path, allow_imports))
                say(f"{path} is finished, stopped by {over}; to continue it:\n  {again} --set stop.{over}=…")
                return summary
        directory.write_text(CONFIG, config.to_yaml())  # an unchanged one too: its time makes this run the `last` one
        directory.remove_summary()
        directory.resume({} if checkpoint is None else checkpoint.journals)
        started(directory.location)
        return run_to_end(session, directory, watch, interruption, reason=reason)


def finish(
    path: Path, allow_imports: Sequence[str] = (), say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """End a stopped run now: its champion so far is tested, and the run counts as finished.

    `resume` can continue it later; the result is then that of a run that was never ended.

    Args:
        path: the run directory.
        allow_imports: modules that the config may import.
        say: called with each warning.

    Returns:
        The run's summary, as in `run.json`, with `stopped_by` "finish".

    Raises:
        CheckpointError: the run has no finished generation.
        RunInUse: another process is running the run.
        EvonetError: the run cannot be continued, or its files cannot be written.
        KeyboardInterrupt: Ctrl-C or SIGTERM.
    """
    require_run(path)
    if (path / SUMMARY).exists():
        say(f"{path} is finished already")
        return {**read_run_summary(path), "run_directory": str(path)}
    if (path / CONFIG).exists() and not checkpoints_in(path):
        again = command("evonet", "resume", path, *flags_for(path, allow_imports))
        raise CheckpointError(
            f"{path} has no finished generation, so there is no champion to test; resume it with: {again}"
        )
    try:
        return resume(path, (), allow_imports, say=say, reason="finish")
    except RunInUse as error:
        error.add_note("stop it first, with Ctrl-C in its terminal")
        raise


def resumed_config(path: Path, overrides: Sequence[str] = (), allow_imports: Sequence[str] = ()) -> Config:
    """The config with which the run at `path` continues; it may also import what was allowed for the run before.

    Raises:
        ConfigError: the run has no config, or an override changes a setting that a resumed run cannot change.
    """
    if not os.path.lexists(path / CONFIG):
        raise ConfigError(f"{path} is not a run directory: it has no {CONFIG}")
    require_run(path)
    for override in overrides:
        key = override.partition("=")[0]
        if not _is_changeable(key):
            again = command("evonet", "run", path / CONFIG, "--set", override, *allowing(allow_imports))
            raise ConfigError(
                f"--set {override}: a resumed run can change {', '.join(_CHANGEABLE[:-1])} and {_CHANGEABLE[-1]} "
                f"only; to change {key}, start a new run: {again}"
            )
    allowed = (*allow_imports, *restore_permissions(path))
    return Config.load(str(path / CONFIG), overrides, tuple(dict.fromkeys(allowed)), follow_links=False)


def _is_changeable(key: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in _CHANGEABLE)


def _out_of_time(summary: Mapping[str, Any] | None, checkpoint: Checkpoint, config: Config) -> str | None:
    """The reason "seconds" if that ended the run within a generation, and the limit has not been raised; else None."""
    stop, now = checkpoint.config.get("stop"), config.settings.stop.seconds
    before = stop.get("seconds") if isinstance(stop, Mapping) else None  # an untrusted file may hold anything
    if summary is None or summary["stopped_by"] != "seconds" or not isinstance(before, int | float) or now is None:
        return None
    return "seconds" if now <= before else None


def _refuse_changes(config: Config, checkpoint: Checkpoint, path: Path) -> None:
    """Refuse a config whose settings differ from those of the generations before the checkpoint."""
    before = dict(checkpoint.config)
    with contextlib.suppress(ConfigError):
        before = with_defaults(before, config.allowed_imports)
    differ = {key: values for key, values in differences([before, config.resolved]).items() if not _is_changeable(key)}
    if differ:
        again = command("evonet", "run", path / CONFIG, *allowing(config.allowed_imports))
        lines = [f"  {key}: {then!r} then, {now!r} now" for key, (then, now) in differ.items()]
        raise ConfigError(
            "\n".join([f"{path / CONFIG} was changed after the run started:", *lines])
            + f"\nchange it back, or start another run: {again} --output OTHER"
        )


def _warn_of_missing_lock(directory: RunDirectory, say: Callable[[str], None]) -> None:
    if not directory.locked:
        say(f"warning: the file system of {directory.path} has no locks: do not run it in another process")


def _warn_of_changes(checkpoint: Checkpoint, directory: Directory, say: Callable[[str], None]) -> None:
    """Warn if the machine, its software or a journal has changed, because the results may then differ."""
    now = fingerprint(linear_algebra="linear algebra" in checkpoint.fingerprint)
    differ = changes(checkpoint.fingerprint, now)
    if differ is not None:
        say(f"warning: the machine or its software has changed ({differ}); numbers may differ in their last bits")
    for name, mark in checkpoint.journals.items():
        damage = mark.damage(directory, journal_name(name))
        if damage is not None:
            say(f"warning: {damage}")


def _summary(directory: Directory) -> dict[str, Any] | None:
    """The summary of a finished run, with the directory where it is now; None if the run is not finished."""
    if not directory.has(SUMMARY):
        return None
    return {**read_run_summary(directory.path), "run_directory": str(directory.path)}
