"""`evonet replay`: an episode of a run once more."""

from __future__ import annotations

import argparse
from pathlib import Path

from evonet.cli.console import DONE, Commands, allow_imports, stdout_kept_for_the_result


def add_to(commands: Commands) -> None:
    """Enter the command."""
    replay = commands.add_parser("replay", help="repeat an episode of a run in this process")
    replay.add_argument("run", metavar="RUN", type=Path, help="a run directory")
    replay.add_argument(
        "--fault", type=int, metavar="N", required=True, help="the episode of this line of faults.jsonl, counted from 0"
    )
    replay.add_argument(
        "--allow-import", action="append", default=[], metavar="MODULE", help="allow the run to import this module"
    )
    replay.set_defaults(command=_replay)


def _replay(options: argparse.Namespace) -> int:
    allow_imports(options.allow_import)
    return _replay_fault(options)


def _replay_fault(options: argparse.Namespace) -> int:
    from evonet.experiment.fault_replay import RecordedFault

    recorded = RecordedFault.read(options.run, options.fault)
    before = recorded.fault
    where = f"generation {recorded.generation}, individual {before.individual}, episode {before.episode}"
    print(f"fault {recorded.number}, {where} ({before.place}): {before.message}", flush=True)
    with stdout_kept_for_the_result():
        results = recorded.replay(options.allow_import)
    if not results.faults:
        print(f"this time it went well: return {results.returns[0, 0]:g} in {results.lengths[0, 0]} steps")
        return DONE
    (after,) = results.faults
    same = (after.kind, after.step, after.message) == (before.kind, before.step, before.message)
    print(after.traceback.rstrip() or after.message)
    print("the same again" if same else f"another fault this time ({after.place}): {after.message}")
    return DONE
