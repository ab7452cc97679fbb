"""The run that another one begins from, by its folder and by its id."""

from pathlib import Path

import pytest
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import ModelRun

from components.errors import EvaluationError
from pipeline.config import config
from pipeline.orchestrators import local
from pipeline.orchestrators.compiled import compile_pipeline
from pipeline.run.start import find_start
from tests.components.test_pretrained import left, run
from tests.pipeline import tiny_stages

FINE = """\
name: fine
task: text_classification
data: {path: films.tsv}
model: {architecture: transformer, hidden_dim: 8, num_heads: 2}
"""


@component
def Trainer(model_run: OutputArtifact[ModelRun], task: Parameter[str]) -> None:  # noqa: N802
    left(Path(model_run.uri), run(task))


def begins_from(reference: str, folder: Path):
    (folder / "fine.yaml").write_text(FINE)
    overrides = [f"output_dir={folder}", f"training.init_from={reference}"]
    return find_start(config.load(folder / "fine.yaml", overrides))


def test_a_run_is_found_by_its_id_and_by_its_folder(tmp_path: Path) -> None:
    stages = [Trainer(task="masked_language_modeling")]
    local.run(compile_pipeline(tiny_stages.pipeline_of(tmp_path, stages), "a-run"), lambda event: None, {})
    by_id = begins_from("a-run", tmp_path)
    assert by_id.description.task == "masked_language_modeling"
    assert begins_from(str(by_id.folder), tmp_path) == by_id
    assert begins_from("", tmp_path) is None
    with pytest.raises(EvaluationError, match="another-run, which is no folder, and no run of"):
        begins_from("another-run", tmp_path)


def test_without_any_run_there_is_none_to_begin_from(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no run of"):
        begins_from("a-run", tmp_path)
