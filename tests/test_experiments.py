"""The small programs under `experiments` do what their first lines say."""

import subprocess
import sys
from pathlib import Path

EXPERIMENTS = Path(__file__).parents[1] / "experiments"


def output_of(program):
    done = subprocess.run(
        [sys.executable, "-W", "error", EXPERIMENTS / program], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cartpole_by_hand_ends_with_a_champion_that_balances_in_fresh_episodes():
    score = output_of("cartpole.py").splitlines()[-1]
    assert score.startswith("test: ")
    assert float(score.split()[1]) >= 475


def test_the_picture_in_the_readme_is_what_its_program_draws():
    assert output_of("figures/genome.py") == (EXPERIMENTS / "figures/genome.svg").read_text(encoding="utf-8")
