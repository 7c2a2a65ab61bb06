"""Export as a folder for the Hugging Face hub: a model card, and the champion in evonet's format and in JSON.

The export uploads nothing. To publish the folder, upload it with the hub's own tool.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
from pathlib import Path
from typing import Any

from evonet.champion import Champion
from evonet.export.document import export_json
from evonet.export.onnx_model import export_onnx
from evonet.export.policy import NotExportable, environment_id, test_in_words
from evonet.files.directory import write_atomically

_UNBIASED = "The test score is unbiased: its episodes were not used for selection. Intervals are 95 %."
CARD, CHAMPION, POLICY, ONNX = "README.md", "champion.npz", "policy.json", "policy.onnx"


def export_hub(champion: Champion, path: Path) -> list[Path]:
    """Write the folder, with an ONNX model if `onnx` is installed and the champion can be exported to it."""
    path.mkdir(parents=True, exist_ok=True)
    champion.save(path / CHAMPION)
    written = [path / CHAMPION, *export_json(champion, path / POLICY)]
    if importlib.util.find_spec("onnx") is not None:
        with contextlib.suppress(NotExportable):
            written += export_onnx(champion, path / ONNX)
    write_atomically(path / CARD, model_card(champion, with_onnx=path / ONNX in written).encode())
    return [path / CARD, *written]


def model_card(champion: Champion, *, with_onnx: bool) -> str:
    """The text of the model card: YAML front matter, which the hub reads, and Markdown."""
    environment = environment_id(champion) or "a custom environment"
    names, architecture = champion.names, champion.architecture
    files = [
        f"- `{CHAMPION}`: the champion as evonet saves it",
        f"- `{POLICY}`: all weights by name, with what they read and do",
    ]
    files += [f"- `{ONNX}`: observation in, action out, in float64"] if with_onnx else []
    scores = [f"- test: {test_in_words(champion)}"]
    if champion.validation is not None:
        scores.append(f"- validation: mean return {champion.validation}")
    return "\n".join(
        [
            "---",
            _front_matter(champion, environment).rstrip(),
            "---",
            "",
            f"# A champion for {environment}",
            "",
            f"A network {architecture}, {architecture.genome_size} weights, found by neuroevolution without gradients.",
            "",
            "## Scores",
            "",
            *scores,
            "",
            _about_scores(champion),
            "",
            "## Inputs and outputs",
            "",
            f"- inputs: {', '.join(names.inputs)}",
            f"- outputs: {', '.join(names.outputs)}",
            "",
            "## Files",
            "",
            *files,
            "",
            "## Use",
            "",
            "```python",
            "from evonet import Champion",
            "",
            f'champion = Champion.load("{CHAMPION}")',
            "print(champion.evaluate(episodes=100))",
            "```",
            "",
        ]
    )


def _about_scores(champion: Champion) -> str:
    """How far the scores can be trusted."""
    if champion.validation is None:
        return f"Test it with `evonet test {CHAMPION}`." if champion.test is None else _UNBIASED
    if champion.test is None:
        return (
            f"The validation score is too high, because it chose the champion. Test it with `evonet test {CHAMPION}`."
        )
    return f"The champion was chosen by its validation score. {_UNBIASED}"


def _front_matter(champion: Champion, environment: str) -> str:
    from ruamel.yaml import YAML

    data: dict[str, Any] = {
        "library_name": "evonet",
        "tags": ["reinforcement-learning", "neuroevolution", environment],
    }
    if champion.test is not None:
        metric = {
            "type": "mean_reward",
            "value": f"{champion.test.mean:.2f} +/- {champion.test.returns.std():.2f}",
            "name": "mean_reward",
            "verified": False,
        }
        result = {
            "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
            "dataset": {"name": environment, "type": environment},
            "metrics": [metric],
        }
        data["model-index"] = [{"name": f"evonet champion for {environment}", "results": [result]}]
    stream = io.StringIO()
    YAML().dump(data, stream)
    return stream.getvalue()
