"""Does a config give the same bits on another processor?

Question: which shipped configs, run for a few generations, give the same metrics, lineage and champion when NumPy, its
          linear algebra, Numba and the C library compute as on other processors?
Command:  python experiments/reliability/processors.py --json
Finding:  the algorithms that evonet computes by itself give the same bits everywhere: acrobot, cartpole,
          double_pole_velocities, frozen_lake, mountain_car, mountain_car_continuous and pendulum.
          CMA-ES, whose package takes an eigendecomposition from the linear algebra, gives the same with any number of
          threads and differs by processor: double_pole_damping, double_pole_no_velocities,
          double_pole_velocities_cma_es, lunar_lander, lunar_lander_continuous and swimmer (then 8-4-2
          in Gymnasium). Their checkpoints name the kernel of the linear algebra, and `evonet resume` warns on another
          one.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from evonet.fingerprint import fingerprint

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
FILES = ("metrics.jsonl", "lineage.jsonl", "genomes.jsonl", "faults.jsonl", "champion.npz")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def settings() -> dict[str, dict[str, str]]:
    """Environment variables by the processor that they stand for."""
    found = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", ())
    newest = [name for name in found if "AVX512" in name or name == "X86_V4"]
    one, two = dict.fromkeys(THREADS, "1"), dict.fromkeys(THREADS, "2")
    avx2 = {"NPY_DISABLE_CPU_FEATURES": " ".join(newest), "NUMBA_CPU_NAME": "haswell"}
    old = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(found),
        "NUMBA_CPU_NAME": "nehalem",
        "OPENBLAS_CORETYPE": "Nehalem",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX",
    }
    return {
        "this processor": one,
        "this processor, two threads": two,
        "AVX2 (Haswell), two threads": avx2 | {"OPENBLAS_CORETYPE": "Haswell"} | two,
        "AVX2 (Zen)": avx2 | {"OPENBLAS_CORETYPE": "Zen"} | one,
        "no AVX, no FMA (Nehalem)": old | one,
    }


def digest(config: Path, generations: int, variables: dict[str, str], folder: Path) -> str | None:
    """What the run's files come to; None if the config cannot be run here, for want of an extra."""
    output = folder / "run"
    command = [sys.executable, "-m", "evonet", "run", str(config), "--quiet", "--output", str(output)]
    for override in (f"generations={generations}", "target=null", "confident=false"):
        command += ["--set", f"stop.{override}"]
    command += ["--set", "validation.episodes=4", "--set", "test.episodes=4"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    if done.returncode:
        if "not installed" in done.stderr:
            return None
        raise SystemExit(f"{config.name} with {variables}:\n{done.stderr}")
    total = hashlib.sha256()
    for name in FILES:
        if (output / name).exists():
            total.update(f"{name}\n".encode() + (output / name).read_bytes())
    return total.hexdigest()


def table(configs: list[Path], generations: int) -> dict[str, dict[str, str]]:
    """By config and processor, "same" or "differs" from the first processor; "skipped" where an extra is missing."""
    rows: dict[str, dict[str, str]] = {}
    for config in configs:
        digests: dict[str, str | None] = {}
        for name, variables in settings().items():
            with tempfile.TemporaryDirectory() as folder:
                digests[name] = digest(config, generations, variables, Path(folder))
            if digests[name] is None:
                break
        reference, *others = digests.items()
        rows[config.stem] = {
            name: "skipped" if reference[1] is None else "same" if found == reference[1] else "differs"
            for name, found in others or [(reference[0], None)]
        }
        print(f"{config.stem}: {rows[config.stem]}", file=sys.stderr)
    return rows


def main() -> None:
    """Make the table and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", type=Path, default=CONFIGS, help="default: all shipped ones")
    parser.add_argument("--generations", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args()
    rows = table(options.configs, options.generations)
    if options.json:
        machine = {"system": platform.platform(), **fingerprint(linear_algebra=True)}
        document = {"machine": machine, "generations": options.generations, "processors": settings(), "configs": rows}
        print(json.dumps(document, indent=2))
        return
    names = list(settings())[1:]
    print(f"| config | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for config, row in rows.items():
        print(f"| {config} | {' | '.join(row.get(name, 'skipped') for name in names)} |")


if __name__ == "__main__":
    main()
