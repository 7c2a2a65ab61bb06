import json
import sys
import types
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.experiment.run_files.tracking import TRACKERS, make_trackers
from evonet.extras import install_hint
from tests.stopped_runs import EAGER, config_for, go_on, run_stopped, run_whole

SMALL = (
    "environment: {id: CartPole-v1}\nnetwork: {hidden: 2}\nalgorithm: {population_size: 6, elites: 1}\n"
    "stop: {generations: 4, target: null}\nvalidation: {episodes: 2}\ntest: {episodes: 2}\n"
)


def metrics_of(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def final_score(run):
    return json.loads((run / "run.json").read_text(encoding="utf-8"))["champion"]["test_mean"]


@pytest.mark.filterwarnings("ignore")  # its own imports warn
def test_tensorboard_reads_the_metrics_of_a_run(tmp_path):
    pytest.importorskip("tensorboardX")
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = run_whole(tmp_path, SMALL + "tracking: [tensorboard]\n")
    events = reader.EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    for tag, name in [("fitness/best", "best"), ("effort/evaluations", "evaluations"), ("population/faults", "faults")]:
        scalars = events.Scalars(tag)
        assert [event.step for event in scalars] == [0, 1, 2, 3]
        assert [event.value for event in scalars] == pytest.approx([line[name] for line in metrics_of(run)])
    (test,) = events.Scalars("champion/test_mean")
    assert (test.step, test.value) == (3, pytest.approx(final_score(run)))


def test_the_table_has_the_metrics_of_a_run(tmp_path):
    run = run_whole(tmp_path, SMALL + "tracking: [csv]\n")
    header, *rows = (run / "metrics.csv").read_text(encoding="utf-8").splitlines()
    metrics = metrics_of(run)
    assert header.split(",") == [*metrics[0], "test_mean"]
    tests = [None, None, None, final_score(run)]
    assert [[json.loads(cell or "null") for cell in row.split(",")] for row in rows] == [
        [*line.values(), test] for line, test in zip(metrics, tests, strict=True)
    ]


def test_the_table_of_a_stopped_run_that_continues_has_the_same_bytes(tmp_path):
    whole = run_whole(tmp_path, SMALL + "tracking: [csv]\n")
    stopped = run_stopped(tmp_path, SMALL + "tracking: [csv]\n", *EAGER)
    with (stopped / "metrics.csv").open("a", encoding="utf-8") as table:
        table.write("3,a row after the last checkpoint")
    go_on(stopped)
    assert (stopped / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()


class FakeWandb(types.ModuleType):
    """The calls that evonet makes; a run is a dict of the metrics of each step."""

    def __init__(self):
        super().__init__("wandb")
        self.calls, self.steps, self.summary, self.finished = [], {}, {}, 0

    def init(self, **options):
        self.calls.append(options)
        folder = Path(options["dir"], "wandb", f"offline-run-2026010{len(self.calls)}_120000-{options['id'] or 'new1'}")
        folder.mkdir(parents=True)
        return types.SimpleNamespace(log=self.log, summary=self.summary, finish=self.finish)

    def log(self, metrics, step):
        assert self.steps.setdefault(step, metrics) == metrics

    def finish(self):
        self.finished += 1

    Settings = dict


class FakeMLflow(types.ModuleType):
    """The calls that evonet makes, on a store in memory."""

    def __init__(self):
        super().__init__("mlflow")
        self.addresses, self.experiments, self.runs = [], {}, []
        self.entities = types.SimpleNamespace(Metric=self.metric)

    def MlflowClient(self, tracking_uri):  # noqa: N802 - MLflow's name
        self.addresses.append(tracking_uri)
        return self

    @staticmethod
    def metric(key, value, timestamp, step):
        return types.SimpleNamespace(key=key, value=value, step=step)

    def get_experiment_by_name(self, name):
        return self.experiments.get(name)

    def create_experiment(self, name):
        self.experiments[name] = types.SimpleNamespace(experiment_id=name)
        return name

    def create_run(self, experiment, run_name, tags):
        run = types.SimpleNamespace(run_id=str(len(self.runs)), name=run_name, tags=tags, metrics=[], status="RUNNING")
        self.runs.append(types.SimpleNamespace(info=run))
        return self.runs[-1]

    def search_runs(self, experiments, text):
        place = json.loads(text.partition(" = ")[2])
        return [run for run in self.runs if run.info.tags["evonet.run_directory"] == place]

    def update_run(self, run, status):
        self.runs[int(run)].info.status = status

    def get_metric_history(self, run, key):
        return [metric for metric in self.runs[int(run)].info.metrics if metric.key == key]

    def log_batch(self, run, metrics):
        assert self.runs[int(run)].info.status == "RUNNING"
        self.runs[int(run)].info.metrics += metrics

    def set_terminated(self, run):
        self.runs[int(run)].info.status = "FINISHED"


@pytest.fixture
def fake(monkeypatch):
    """Install a module in place of a tracker's package, without the variables that a shell may have."""

    def fake(module):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        for name in ("WANDB_MODE", "WANDB_PROJECT", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        return module

    return fake


def test_wandb_gets_the_metrics_of_each_generation_and_the_config_offline(fake, tmp_path):
    wandb = fake(FakeWandb())
    run = run_whole(tmp_path, SMALL + "tracking: [wandb]\n")
    (call,) = wandb.calls
    assert (call["mode"], call["dir"], call["name"], call["project"]) == ("offline", str(run), "whole", "evonet")
    assert call["config"]["algorithm"]["population_size"] == 6
    assert call["id"] is None
    assert {step: values["fitness/best"] for step, values in wandb.steps.items()} == {
        line["generation"]: line["best"] for line in metrics_of(run)
    }
    assert wandb.summary == {"champion/test_mean": final_score(run)}
    assert wandb.finished == 1


def test_wandb_s_variables_decide_over_mode_and_project(fake, tmp_path, monkeypatch):
    wandb = fake(FakeWandb())
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("WANDB_PROJECT", "poles")
    run_whole(tmp_path, SMALL + "tracking: [wandb]\n", "stop.generations=1")
    assert (wandb.calls[0]["mode"], wandb.calls[0]["project"]) == ("disabled", "poles")


def test_wandb_continues_the_same_run_where_a_stopped_run_continues(fake, tmp_path):
    wandb = fake(FakeWandb())
    go_on(run_stopped(tmp_path, SMALL + "tracking: [wandb]\n", *EAGER))
    assert [call["id"] for call in wandb.calls] == [None, "new1"]
    assert sorted(wandb.steps) == [0, 1, 2, 3]


def test_mlflow_gets_the_metrics_of_each_generation_in_a_folder_of_the_run(fake, tmp_path):
    mlflow = fake(FakeMLflow())
    path = run_whole(tmp_path, SMALL + "tracking: [mlflow]\n")
    assert mlflow.addresses == [(path / "mlflow").as_uri()]
    (run,) = (each.info for each in mlflow.runs)
    assert (run.name, run.status, list(mlflow.experiments)) == ("whole", "FINISHED", ["evonet"])
    assert json.loads(run.tags["evonet.config"])["algorithm"]["population_size"] == 6
    best = [(metric.step, metric.value) for metric in run.metrics if metric.key == "fitness/best"]
    assert best == [(line["generation"], line["best"]) for line in metrics_of(path)]
    test = [(metric.step, metric.value) for metric in run.metrics if metric.key == "champion/test_mean"]
    assert test == [(3, final_score(path))]


def test_mlflow_s_variables_decide_over_server_and_experiment(fake, tmp_path, monkeypatch):
    mlflow = fake(FakeMLflow())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "poles")
    run_whole(tmp_path, SMALL + "tracking: [mlflow]\n", "stop.generations=1")
    assert (mlflow.addresses, list(mlflow.experiments)) == (["http://localhost:5000"], ["poles"])


def test_mlflow_leaves_out_generations_that_a_stopped_run_wrote_after_its_checkpoint(fake, tmp_path):
    mlflow = fake(FakeMLflow())
    directory = types.SimpleNamespace(location=tmp_path, path=tmp_path)
    for first in (0, 1):
        (tracker,) = make_trackers(["mlflow", "mlflow"], directory, {}, first)
        for generation in range(first, 3):
            tracker.write({"generation": generation, "evaluations": 6 * generation, "best": None})
        tracker.close()
    (run,) = (each.info for each in mlflow.runs)
    assert [(metric.step, metric.key, metric.value) for metric in run.metrics] == [
        (0, "effort/evaluations", 0.0),
        (1, "effort/evaluations", 6.0),
        (2, "effort/evaluations", 12.0),
    ]


def test_mlflow_continues_the_same_run_and_has_each_generation_once(fake, tmp_path):
    mlflow = fake(FakeMLflow())
    stopped = run_stopped(tmp_path, SMALL + "tracking: [mlflow]\n", *EAGER)
    go_on(stopped)
    (run,) = (each.info for each in mlflow.runs)
    assert [metric.step for metric in run.metrics if metric.key == "fitness/best"] == [0, 1, 2, 3]
    assert run.status == "FINISHED"


@pytest.mark.filterwarnings("ignore")
def test_the_real_mlflow_has_each_generation_once_after_a_stop(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    path = run_stopped(tmp_path, SMALL + "tracking: [mlflow]\n", *EAGER)
    go_on(path)
    client = mlflow.MlflowClient(tracking_uri=(path / "mlflow").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("evonet").experiment_id])
    assert run.info.status == "FINISHED"
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "fitness/best")] == [0, 1, 2, 3]


@pytest.mark.filterwarnings("ignore")
def test_the_real_wandb_writes_its_run_into_the_run_directory(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    path = run_stopped(tmp_path, SMALL + "tracking: [wandb]\n", *EAGER)
    go_on(path)
    folders = list((path / "wandb").glob("offline-run-*"))
    assert len({folder.name.split("-")[3] for folder in folders}) == 1
    assert all(list(folder.glob("run-*.wandb")) for folder in folders)


NEEDS = {"tensorboard": "tensorboardX", "mlflow": "MLflow", "wandb": "wandb"}


@pytest.mark.parametrize(
    "command",
    [["run", "--output", "run"], ["check"], ["study", "--seeds", "2", "--output", "study"]],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("tracker", NEEDS)
def test_without_its_package_nothing_is_begun(tracker, command, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, {"tensorboard": "tensorboardX"}.get(tracker, tracker), None)
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(f"environment: {{id: CartPole-v1}}\ntracking: [{tracker}]\n", encoding="utf-8")
    assert main([command[0], "config.yaml", *command[1:]]) == 2
    message = f"tracking: {tracker} needs {NEEDS[tracker]}, which is not installed: {install_hint(tracker)}"
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_a_config_may_name_every_tracker(tmp_path):
    config = config_for(tmp_path, f"environment: {{id: CartPole-v1}}\ntracking: [{', '.join(TRACKERS)}]\n")
    assert config.settings.tracking == list(TRACKERS)


def test_an_unknown_tracker_is_refused(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text("environment: {id: CartPole-v1}\ntracking: [tensorbord]\n")
    assert main(["run", str(tmp_path / "config.yaml")]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"evonet: {tmp_path}/config.yaml:2:12: tracking.0 must be 'tensorboard', 'csv', ")
    assert message.endswith("got 'tensorbord'; did you mean 'tensorboard'?\n")
