"""What `seqline deploy --to airflow` refuses and writes, and that both versions of Airflow can read it."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.config import config
from pipeline.deploy import airflow
from pipeline.errors import ConfigError
from tests.pipeline.deploy.airflow_server import environment, program
from tests.pipeline.test_stages import LINE

STAGES = {"Load": [], "Left": ["Load"], "Right": ["Load"], "Train": ["Left", "Right"]}
# Runs the file as Airflow does, and tells what it makes.
READ = """
import json, runpy, sys
tasks = runpy.run_path(sys.argv[1])["tasks"]
dag = tasks["Train"].dag
told = {name: getattr(dag, name) for name in ("dag_id", "catchup", "max_active_runs")}
told |= {"start": dag.start_date.timestamp(), "zone": str(dag.timezone), "params": dict(dag.params)}
told["tasks"] = {name: [sorted(task.upstream_task_ids), task.pool, task.retries] for name, task in tasks.items()}
told["foreign"] = sorted({"tfx", "tensorflow", "pipeline"} & sys.modules.keys())
print("TOLD", json.dumps(told))
"""
# Executes tasks as Airflow does in a run; a report is noted by Airflow 2 and linked by Airflow 3.
EXECUTE = """
import inspect, runpy, sys, types
space = runpy.run_path(sys.argv[1])
inspect.unwrap(space["Stage"].execute).__globals__["note_report"] = lambda run, address: print("REPORT", address)
tasks = space["tasks"]
def execute(name, attempt=1, conf=None):
    ti = types.SimpleNamespace(try_number=attempt, xcom_pull=lambda task_ids: "now~2")
    params = {"training.epochs": 1, "data.train": ""} | (conf or {})
    told = {"ti": ti, "run_id": "now", "params": params, "dag_run": types.SimpleNamespace(conf=conf)}
    try:
        print("TOLD", name, tasks[name].execute(told))
    except Exception as error:
        print("TOLD", name, type(error).__name__, error)
execute("compile")
execute("compile", 2, {"training.epochs": 5})
# As it was deployed, but said aloud: the configuration may say something else by now.
execute("compile", 3, {"training.epochs": 1})
execute("compile", 4, {"training.epoch": 3})
for stage in ("Load", "Left", "Right", "Train"):
    execute(stage)
if space["IS_AIRFLOW_3"]:
    print("REPORT", tasks["Train"].operator_extra_links[0].get_link(tasks["Train"], ti_key=None))
"""
PROGRAM = """\
#!/bin/sh
echo "$*" >> GIVEN
for last; do :; done
case $last in
  *.json) mkdir -p "${last%/*}"; cp STAGES "$last" ;;
  Left) echo "error: Left: no space"; exit 2 ;;
  Right) exit 3 ;;
  Train) mkdir -p 'REPORTS/now~2'; touch 'REPORTS/now~2/report.html' ;;
esac
"""
ORCHESTRATION = """\
orchestration:
  schedule: 30 2 * * 1-5
  start: 2026-01-31
  time_zone: Europe/Berlin
  catch_up: true
  retries: 4
  parameters: [training.epochs, data.train]
  pools: {Train: gpu}
"""


@pytest.fixture
def dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of DAGs; a line whose stages are known without compiling it."""
    monkeypatch.setattr(airflow, "_stages", lambda *arguments: STAGES)
    (tmp_path / "dags").mkdir()
    return tmp_path / "dags"


Deploy = Callable[..., Result]


@pytest.fixture
def deploy(dates_file: Path, dags: Path) -> Deploy:
    def deploy(*settings: str, file: Path = dates_file, folder: Path = dags) -> Result:
        words = [word for setting in settings for word in ("--set", setting)]
        return CliRunner().invoke(app, ["deploy", "--to", "airflow", "-c", str(file), *words, str(folder)])

    return deploy


@pytest.fixture
def refused(deploy: Deploy, dags: Path) -> Callable[..., str]:
    def refused(*settings: str, **places: Path) -> str:
        before = sorted(dags.iterdir())
        result = deploy(*settings, **places)
        assert result.exit_code == 2 and "Traceback" not in result.output, result.output
        assert sorted(dags.iterdir()) == before, "nothing is written"
        return " ".join(result.stderr.split())

    return refused


def test_what_is_written_says_where_and_what_to_start(deploy: Deploy, dags: Path, dates_file: Path) -> None:
    dates_file.write_text(dates_file.read_text() + ORCHESTRATION)
    done = deploy("training.epochs=3")
    assert done.exit_code == 0, done.output
    assert "airflow pools set gpu 1" in done.stdout and "airflow dags unpause dates" in done.stdout
    assert sorted(path.name for path in dags.iterdir()) == ["seqline_dates.json", "seqline_dates.py"]
    line = json.loads((dags / "seqline_dates.json").read_text())
    assert line["program"] == str(Path(sys.executable).with_name("seqline"))
    assert (line["config"], line["folder"]) == (str(dates_file), str(Path.cwd()))
    assert line["overrides"] == ["training.epochs=3"]
    assert line["parameters"] == {"training.epochs": 3, "data.train": ""}
    assert line["reports_url"] == (dates_file.parent / "outputs" / "reports").as_uri()
    assert line["stages"] == STAGES
    assert deploy("training.epochs=3").exit_code == 0, "the same line may be deployed again"


def test_the_stages_are_those_of_the_line(dates_file: Path, tmp_path: Path) -> None:
    deployed = CliRunner().invoke(app, ["deploy", "-c", str(dates_file), str(tmp_path)])
    assert deployed.exit_code == 0, deployed.output
    stages = json.loads((tmp_path / "seqline_dates.json").read_text())["stages"]
    assert list(stages) == LINE
    assert stages["ModelEvaluator"] == ["ExampleGen", "SchemaGen", "Trainer"]
    assert not (tmp_path / "outputs").exists(), "nothing has run"


def test_the_file_imports_airflow_alone() -> None:
    tree = ast.parse(Path(airflow.__file__).with_name("airflow_dag.py").read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    rooms = {str(module).partition(".")[0] for module in modules}
    assert {room for room in rooms if room not in sys.stdlib_module_names} == {"airflow"}


@pytest.mark.parametrize("version", [2, 3])
def test_airflow_reads_it(version: int, deploy: Deploy, dags: Path, dates_file: Path, tmp_path: Path) -> None:
    python = program(version, "python")
    dates_file.write_text(dates_file.read_text() + ORCHESTRATION)
    assert deploy().exit_code == 0
    said = in_airflow(python, READ, dags / "seqline_dates.py", tmp_path)
    [told] = re.findall(r"^TOLD (.*)", said, re.MULTILINE)
    told = json.loads(told)
    assert told["foreign"] == []
    assert (told["dag_id"], told["catchup"], told["max_active_runs"]) == ("dates", True, 1)
    assert told["zone"] == "Europe/Berlin"
    assert datetime.fromtimestamp(told["start"], UTC) == datetime(2026, 1, 30, 23, tzinfo=UTC), "midnight there"
    assert told["params"] == {"training.epochs": 1, "data.train": ""}
    assert told["tasks"] == {
        "compile": [[], "default_pool", 4],
        "Load": [["compile"], "default_pool", 4],
        "Left": [["Load"], "default_pool", 4],
        "Right": [["Load"], "default_pool", 4],
        "Train": [["Left", "Right"], "gpu", 4],
    }


@pytest.mark.parametrize("version", [2, 3])
def test_a_task_is_a_command_and_its_code(version: int, deploy: Deploy, dags: Path, dates_file: Path) -> None:
    python, folder = program(version, "python"), dates_file.parent
    dates_file.write_text(dates_file.read_text() + ORCHESTRATION)
    assert deploy("seed=2").exit_code == 0
    file = dags / "seqline_dates.json"
    line = json.loads(file.read_text())
    (folder / "stages.json").write_text(json.dumps({"stages": STAGES}))
    script = PROGRAM.replace("STAGES", str(folder / "stages.json")).replace("REPORTS", line["reports"])
    script = script.replace("GIVEN", str(folder / "given"))
    (folder / "program").write_text(script)
    (folder / "program").chmod(0o755)
    file.write_text(json.dumps(line | {"program": str(folder / "program")}))

    said = in_airflow(python, EXECUTE, file.with_suffix(".py"), folder)
    out = f"{folder}/outputs/compiled/now.json"
    compiled = f"compile -c {dates_file} --set seed=2"
    assert (folder / "given").read_text().splitlines() == [
        f"{compiled} --run-id now {out}",
        f"{compiled} --set training.epochs=5 --run-id now~2 {out}",
        f"{compiled} --set training.epochs=1 --run-id now~3 {out}",
        *(f"node --wait {out} {stage}" for stage in STAGES),
    ]
    assert "error: Left: no space" in said, "in the log of the task"
    assert re.findall(r"^TOLD (.*)", said, re.MULTILINE) == [
        "compile now",
        "compile now~2",
        "compile now~3",
        "compile AirflowFailException Keys of --conf must be parameters of this line: training.epochs, data.train. "
        "Received: training.epoch. List them in orchestration.parameters and deploy the line anew, or start the run "
        "without them.",
        "Load None",
        "Left AirflowException seqline node ended with code 2; the reason stands above",
        "Right AirflowFailException The model fell short and was not pushed; another try would not change that",
        "Train None",
    ]
    assert re.findall(r"^REPORT (.*)", said, re.MULTILINE) == [f"{line['reports_url']}/now~2/report.html"]

    (folder / "stages.json").write_text(json.dumps({"stages": STAGES | {"Review": ["Train"]}}))
    said = in_airflow(python, EXECUTE, file.with_suffix(".py"), folder)
    assert "TOLD compile AirflowFailException This run has other stages than the line that was deployed" in said


def in_airflow(python: str, code: str, file: Path, folder: Path) -> str:
    """What a program says that an Airflow's Python runs on a DAG file."""
    arguments = [python, "-c", code, str(file)]
    ran = subprocess.run(arguments, env=environment(folder / "airflow"), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def test_all_that_airflow_cannot_do_is_told_before_anything_is_written(
    refused: Callable[..., str], deploy: Deploy, dags: Path, dates_file: Path, tmp_path: Path
) -> None:
    told = refused("orchestration.parameters=[training.epoch, output_dir, training]", folder=tmp_path / "none")
    assert "FOLDER must be the folder in which Airflow looks for DAGs. Received:" in told
    assert "Received: training.epoch; did you mean training.epochs?" in told
    assert "must leave name, task, output_dir, orchestration alone. Received: output_dir" in told
    assert "must be single values or lists. Received: training, a section" in told
    assert "must name stages of this line: Load, Left, Right, Train. Received: Trane; did you mean Train?" in refused(
        "orchestration.pools={Trane: gpu}"
    )
    (dags / "seqline_notes.json").write_text("[]")
    (dags / "seqline_broken.json").write_text("{")
    assert deploy().exit_code == 0
    other = tmp_path / "other.yaml"
    other.write_text(dates_file.read_text())
    assert f"Received: dates, which {dates_file} has" in refused(file=other)
    assert "which dates has. Choose another with --set output_dir=FOLDER" in refused("name=others", file=other)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("schedule=daily", 'must be a cron line of five fields, such as "30 2 * * *", or one of @once'),
        ("schedule=61 25 * * *", 'this one has "61" for the minute, which goes from 0 to 59'),
        ("time_zone=Berlin", "must be the name of a time zone"),
        ("reports_url=files.example", "must begin with http:// or https://"),
        ("start=2026-01-31", "goes with orchestration.schedule only"),
    ],
)
def test_a_schedule_that_is_none_is_refused(dates_file: Path, setting: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f".*{re.escape(told)}"):
        config.load(dates_file, [f"orchestration.{setting}"])


def test_a_cron_line_is_taken(dates_file: Path) -> None:
    told: Any = config.load(dates_file, ["orchestration.schedule='*/15 0-6,22 * JAN-MAR 1#2'"])
    assert told.orchestration.schedule == "*/15 0-6,22 * JAN-MAR 1#2"
