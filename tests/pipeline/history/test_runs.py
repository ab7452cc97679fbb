import json
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.errors import StageFailed
from pipeline.history import runs
from pipeline.history.table import runs_table
from pipeline.orchestrators import local
from pipeline.orchestrators.compiled import annotate, compile_pipeline, stage_ids
from tests.pipeline import tiny_stages


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


def test_results_that_were_noted_come_back(tmp_path: Path) -> None:
    run(tmp_path, "first")
    database = tmp_path / "metadata.sqlite"
    runs.add_notes(database, "first", {runs.NOTE_METRICS: {"bleu": 21.5}, runs.NOTE_SHORTFALLS: ["bleu is 21.5"]})
    told = runs.read_run(database, "first")
    assert told is not None
    assert (told.metrics, told.shortfalls, told.name) == ({"bleu": 21.5}, ["bleu is 21.5"], "dates")
    assert json.loads(json.dumps(told.to_json()))["metrics"] == {"bleu": 21.5}


def test_the_table_shows_a_run_in_a_row(tmp_path: Path) -> None:
    run(tmp_path, "first")
    runs.add_notes(tmp_path / "metadata.sqlite", "first", {runs.NOTE_METRICS: {"example_count": 9, "bleu": 21.5}})
    console = Console(width=140, record=True, file=open("/dev/null", "w"))
    console.print(runs_table(runs.read_runs(tmp_path / "metadata.sqlite")))
    row = next(line for line in console.export_text().splitlines() if "first" in line)
    for text in ("dates", "abcd", "done", "bleu 21.5", "yes", "1"):
        assert text in row
    assert "example_count" not in row
