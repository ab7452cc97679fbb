"""A run in one process for each stage, by the command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.config.config import Config
from pipeline.run import by_stage
from tests.pipeline.test_stages import LINE


def seqline(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(*arguments: str | Path) -> str:
    result = seqline(*arguments)
    assert result.exit_code == 2, result.output
    return " ".join(result.stderr.split())


@pytest.fixture
def compiled(dates_file: Path, tmp_path: Path) -> Path:
    out = tmp_path / "run" / "compiled.json"
    result = seqline("compile", "-c", dates_file, "--set", "training.epochs=2", "--run-id", "scheduled__1+00:00", out)
    assert result.exit_code == 0, result.output
    assert result.output.split() == LINE
    return out


def test_a_compiled_run_says_what_an_orchestrator_must_know(compiled: Path, tmp_path: Path) -> None:
    content = json.loads(compiled.read_text())
    assert content["run_id"] == "scheduled__1+00:00"
    assert list(content["stages"]) == LINE
    assert content["stages"]["ExampleGen"] == []
    assert content["stages"]["ModelEvaluator"] == ["ExampleGen", "SchemaGen", "Trainer"], "through the resolver"
    assert content["config"]["training"]["epochs"] == 2
    assert content["config"]["output_dir"] == str(tmp_path / "outputs")
    assert not (tmp_path / "outputs").exists(), "compiling runs nothing"
    assert [path.name for path in compiled.parent.iterdir()] == ["compiled.json"]


def test_a_stage_before_its_turn_and_one_that_there_is_not_are_told(compiled: Path) -> None:
    assert "There is no stage Train in" in refused("node", compiled, "Train")
    assert "SchemaGen needs what has not been made in this run; first run StatisticsGen" in refused(
        "node", compiled, "SchemaGen"
    )


@pytest.mark.parametrize("run_id", ["a/b", "..", ".hidden", "x" * 201, "a b"])
def test_a_name_that_no_file_can_have_is_refused(dates_file: Path, tmp_path: Path, run_id: str) -> None:
    told = refused("compile", "-c", dates_file, "--run-id", run_id, tmp_path / "out")
    assert "--run-id must be letters, digits" in told and f"Received: {run_id}" in told


def test_a_run_that_has_begun_is_not_compiled_again(
    dates_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_stage.runs, "read_run", lambda database, run_id: run_id == "begun" or None)
    told = refused("compile", "-c", dates_file, "--run-id", "begun", tmp_path / "out")
    assert "--run-id must be new. Received: begun, a run that has begun in" in told


def test_what_is_no_compiled_run_is_refused(tmp_path: Path, dates_config: Config) -> None:
    assert "cannot be read" in refused("node", tmp_path / "missing", "Trainer")
    (tmp_path / "other.json").write_text(dates_config.model_dump_json())
    assert "is not what seqline compile of this version wrote" in refused("node", tmp_path / "other.json", "Trainer")


def history(dates_file: Path, folder: Path) -> dict[str, Any]:
    [told] = json.loads(seqline("runs", "--json", "-c", dates_file, "--set", f"output_dir={folder}").stdout)
    return told


def process(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.e2e
def test_one_process_for_each_stage_makes_the_same_as_a_run(dates_file: Path, tmp_path: Path) -> None:
    bound = "evaluation.thresholds.exact_match.min=0.9"
    loop, nodes, out = tmp_path / "loop", tmp_path / "nodes", tmp_path / "compiled.json"
    ran = process("run", "-c", dates_file, "--set", f"output_dir={loop}", "--set", bound)
    assert ran.returncode == 3, ran.stdout + ran.stderr
    compiled = seqline(
        "compile", "-c", dates_file, "--set", f"output_dir={nodes}", "--set", bound, "--run-id", "by-hand", out
    )
    assert compiled.exit_code == 0, compiled.stderr
    codes = {}
    for stage in compiled.stdout.split():
        # Processes of their own for what trains and what has a code to tell; the others need not import TFX anew.
        if stage in ("Trainer", "Pusher"):
            done = process("node", out, stage)
            codes[stage], told = done.returncode, done.stdout
        else:
            result = seqline("node", out, stage)
            codes[stage], told = result.exit_code, result.output
        assert f" {stage} " in told, told
    assert codes == dict.fromkeys(LINE, 0) | {"Pusher": 3}
    assert "Not pushed: the model falls short of what was asked of it" in done.stdout

    one, other = history(dates_file, loop), history(dates_file, nodes)
    assert other["run_id"] == "by-hand"
    # When they ran; the hash counts output_dir in.
    for told in (one, other):
        for key in ("run_id", "started", "seconds", "config_hash"):
            del told[key]
        # Folders.
        told["artifacts"], told["pages"] = sorted(told["artifacts"]), sorted(told["pages"])
    assert other == one
    assert other["metrics"]["example_count"] > 0 and len(other["shortfalls"]) == 1
    for made in ("Trainer/model", "Transform/transform_graph", "TokenizerTrainer/vocabulary", "DataGate/report"):
        assert files(loop, made) == files(nodes, made)
    report = next((nodes / "artifacts" / "DataGate" / "report").glob("*/report.json"))
    assert report.read_text() == next((loop / "artifacts" / "DataGate" / "report").glob("*/report.json")).read_text()


def files(output: Path, made: str) -> list[str]:
    [folder] = (output / "artifacts" / made).iterdir()
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
