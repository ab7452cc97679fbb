"""Another run's model as an input of a stage."""

from pathlib import Path

import pytest
from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.types.standard_artifacts import ModelEvaluation

from components.artifacts import PushedOtherModel
from components.importer import other_model
from components.other_models import find_model
from models.description import ModelDescription
from pipeline.history import runs
from pipeline.orchestrators import local, plan
from pipeline.orchestrators.compiled import compile_pipeline
from tests.pipeline import tiny_stages


@tfx.dsl.components.component
def Ask(other: InputArtifact[PushedOtherModel], answers: OutputArtifact[ModelEvaluation]) -> None:
    text = (Path(other.uri) / "weights").read_text()
    (Path(answers.uri) / "answers").write_text(f"{other.get_string_custom_property('name')}: {text}")


@pytest.fixture
def version(tmp_path: Path) -> Path:
    folder = tmp_path / "serving" / "ears" / "3"
    folder.mkdir(parents=True)
    ModelDescription(name="ears", task="text_to_text", architecture="seq2seq", settings={}).write(folder)
    (folder / "weights").write_text("first")
    return folder


def compiled(version: Path, run_id: str):
    model = other_model(find_model(str(version.parent), "some.setting", "text_to_text"), "Other")
    ask = Ask(other=model.outputs["result"])
    return compile_pipeline(tiny_stages.pipeline_of(version.parents[2], [model, ask]), run_id)


def run(version: Path, run_id: str) -> runs.Run:
    local.run(compiled(version, run_id), lambda event: None, {})
    told = runs.read_run(version.parents[2] / "metadata.sqlite", run_id)
    assert told is not None and told.state == "done"
    return told


def test_a_stage_reads_it_and_the_cache_holds_until_its_files_change(version: Path) -> None:
    assert plan.plan(compiled(version, "0"), {}) == {"Ask": True}
    first = run(version, "1")
    assert (Path(first.artifacts["Ask/answers"]) / "answers").read_text() == "ears: first"
    assert first.artifacts["Other/result"] == str(version), "the history tells which model it was"

    assert plan.plan(compiled(version, "2"), {}) == {"Ask": False}
    assert run(version, "2").stages["Ask"] == "cached"

    (version / "weights").write_text("trained anew")
    assert plan.plan(compiled(version, "3"), {}) == {"Ask": True}
    assert run(version, "3").stages["Ask"] == "done"
