import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.types.standard_artifacts import Model, ModelEvaluation

from components.findings import Findings
from pipeline.errors import StageFailed
from pipeline.history import runs
from pipeline.history.table import runs_table
from pipeline.orchestrators import local
from pipeline.orchestrators.compiled import annotate, compile_pipeline, stage_ids
from tests.pipeline import tiny_stages


@tfx.dsl.components.component
def Assess(model: InputArtifact[Model], evaluation: OutputArtifact[ModelEvaluation]) -> None:
    warned = {"warnings": ["few examples"], "data": {"unknown_eval": 0.25}}
    Findings({"bleu": 21.5, "example_count": 9}, ["bleu is 21.5"], **warned).keep(evaluation)


@tfx.dsl.components.component
def Review(model: InputArtifact[Model], review: OutputArtifact[ModelEvaluation]) -> None:
    Findings({"recognized": 0.31}, ["clips: recognized is 0.31"], "page.html", ["no better than a guess"]).keep(review)


def run(root: Path, run_id: str, verdict: int = 1, stages: tuple[str, ...] = ()) -> None:
    load, train = tiny_stages.load_and_train(root)
    judge = tiny_stages.Judge(model=train.outputs["model"], verdict=verdict)
    components = [load, train, judge]
    if verdict:
        components.append(tiny_stages.Push(model=train.outputs["model"], target=str(root / "serving")))
    compiled = compile_pipeline(tiny_stages.pipeline_of(root, components), run_id)
    annotate(
        compiled,
        {
            runs.NOTE_NAME: "dates",
            runs.NOTE_CONFIG_FILE: "dates.yaml",
            runs.NOTE_CONFIG_HASH: "abcd",
            runs.NOTE_STAGES: json.dumps([*stage_ids(compiled), *stages]),
        },
    )
    local.run(compiled, lambda event: None, {})


def test_without_a_database_there_is_no_history(tmp_path: Path) -> None:
    assert runs.read_runs(tmp_path / "metadata.sqlite") == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_told_with_verdict_and_version(tmp_path: Path) -> None:
    run(tmp_path, "first")
    [told] = runs.read_runs(tmp_path / "metadata.sqlite")
    assert (told.run_id, told.name, told.config_file, told.config_hash) == ("first", "dates", "dates.yaml", "abcd")
    assert (told.state, told.blessed, told.pushed_version) == ("done", True, "1")
    assert told.pushed_to == str(tmp_path / "serving" / "1")
    assert told.stages == {"Load": "done", "Train": "done", "Judge": "done", "Push": "done"}
    assert told.artifacts["Train/model"].startswith(str(tmp_path / "artifacts" / "Train" / "model"))


def test_a_cached_run_has_the_results_of_the_first_and_the_newest_comes_first(tmp_path: Path) -> None:
    run(tmp_path, "first")
    run(tmp_path, "second")
    second, first = runs.read_runs(tmp_path / "metadata.sqlite")
    assert (second.run_id, first.run_id) == ("second", "first")
    assert set(second.stages.values()) == {"cached"}
    assert (second.blessed, second.pushed_version) == (True, "1")
    assert runs.read_runs(tmp_path / "metadata.sqlite", last=1) == [second]


def test_a_model_that_was_not_blessed(tmp_path: Path) -> None:
    run(tmp_path, "first", verdict=0)
    [told] = runs.read_runs(tmp_path / "metadata.sqlite")
    assert (told.blessed, told.pushed_version) == (False, None)


def test_a_model_that_failed_on_the_server_says_why(tmp_path: Path) -> None:
    load, train = tiny_stages.load_and_train(tmp_path)
    tried = tiny_stages.TryOut(model=train.outputs["model"], reason="it has no signature serving_default")
    local.run(compile_pipeline(tiny_stages.pipeline_of(tmp_path, [load, train, tried]), "1"), lambda event: None, {})
    [told] = runs.read_runs(tmp_path / "metadata.sqlite")
    assert (told.servable, told.not_servable) == (False, "it has no signature serving_default")


def test_a_failed_and_an_unfinished_run(tmp_path: Path) -> None:
    (tmp_path / "trouble").write_text("bug")
    with pytest.raises(StageFailed):
        run(tmp_path, "failed")
    (tmp_path / "trouble").unlink()
    run(tmp_path, "killed", stages=("Report",))
    killed, failed = runs.read_runs(tmp_path / "metadata.sqlite")
    assert (failed.state, failed.stages["Train"], failed.blessed) == ("failed in Train", "failed", None)
    assert killed.state == "unfinished"


def assess(root: Path, run_id: str) -> runs.Run:
    """A run of two judges, and what is told of it."""
    load, train = tiny_stages.load_and_train(root)
    model = train.outputs["model"]
    bleu, heard = Assess(model=model).with_id("First"), Review(model=model)
    compiled = compile_pipeline(tiny_stages.pipeline_of(root, [load, train, bleu, heard]), run_id)
    local.run(compiled, lambda event: None, {})
    told = runs.read_run(root / "metadata.sqlite", run_id)
    assert told is not None
    return told


def test_what_the_judges_kept_with_their_artifacts_is_told_of_a_run_from_the_cache_too(tmp_path: Path) -> None:
    told = assess(tmp_path, "first")
    assert told.metrics == {"bleu": 21.5, "example_count": 9, "recognized": 0.31}
    assert told.shortfalls == ["bleu is 21.5", "clips: recognized is 0.31"]
    folder = tmp_path / "artifacts"
    assert told.pages.keys() == {"evaluation", "review"}
    assert Path(told.pages["evaluation"]).parent == folder / "First" / "evaluation", (
        "the folder, where there is no page"
    )
    assert Path(told.pages["review"]).match("artifacts/Review/review/*/page.html")
    assert json.loads(json.dumps(told.to_json()))["metrics"] == told.metrics

    assert (told.warnings, told.data) == (
        ["First: few examples", "Review: no better than a guess"],
        {"unknown_eval": 0.25},
    )

    again = assess(tmp_path, "second")
    assert (again.warnings, again.data) == (told.warnings, told.data)
    assert set(again.stages.values()) == {"cached"}
    assert (again.metrics, again.shortfalls, again.pages) == (told.metrics, told.shortfalls, told.pages)
    assert again.warnings == told.warnings


def test_a_run_of_before_has_its_results_with_itself(tmp_path: Path) -> None:
    compiled = compile_pipeline(tiny_stages.pipeline_of(tmp_path, tiny_stages.load_and_train(tmp_path)), "old")
    annotate(compiled, {"seqline_metrics": '{"bleu": 7}', "seqline_shortfalls": '["bleu is 7"]'})
    local.run(compiled, lambda event: None, {})
    [told] = runs.read_runs(tmp_path / "metadata.sqlite")
    assert (told.metrics, told.shortfalls, told.pages) == ({"bleu": 7}, ["bleu is 7"], {})


def test_the_history_is_read_without_loading_tfx_or_tensorflow(tmp_path: Path) -> None:
    code = "import sys, pipeline.history.runs, pipeline.history.table; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "ml_metadata" in loaded
    assert {"tfx", "tensorflow", "tensorflow_model_analysis"}.isdisjoint(loaded)


def test_the_table_shows_a_run_in_a_row(tmp_path: Path) -> None:
    run(tmp_path, "first")
    [told] = runs.read_runs(tmp_path / "metadata.sqlite")
    told = dataclasses.replace(told, metrics={"example_count": 9, "bleu": 21.5}, warnings=["a", "b", "c"])
    console = Console(width=140, record=True, file=open("/dev/null", "w"))
    console.print(runs_table([told]))
    row = next(line for line in console.export_text().splitlines() if "first" in line)
    for text in ("dates", "abcd", "done", "bleu 21.5", "yes", "1", " 3 "):
        assert text in row
    assert "example_count" not in row
