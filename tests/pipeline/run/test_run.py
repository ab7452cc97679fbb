"""What is kept of a run, from real artifacts in ML Metadata."""

import types
from pathlib import Path

from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter

from components.artifacts import ReviewedClips
from components.clip_review.result import FILE, ClipReviewResult
from pipeline.history import runs
from pipeline.orchestrators import local
from pipeline.orchestrators.compiled import compile_pipeline
from pipeline.run.run import _keep_results
from tests.pipeline import tiny_stages


@tfx.dsl.components.component
def ClipReview(clip_review: OutputArtifact[ReviewedClips], text: Parameter[str]) -> None:
    (Path(clip_review.uri) / FILE).write_text(text)


def test_what_was_heard_in_the_clips_and_what_was_asked_stay_with_the_run(tmp_path: Path) -> None:
    result = ClipReviewResult(
        model="digits",
        sample_rate=8000,
        recognizer="ears, version 1",
        recognized=0.31,
        recognized_real=0.9,
        min_recognized=0.5,
        by_label={},
        clips=[],
        notes=[],
    )
    pipeline = tiny_stages.pipeline_of(tmp_path, [ClipReview(text=result.model_dump_json())])
    local.run(compile_pipeline(pipeline, "1"), lambda event: None, {})
    _keep_results(types.SimpleNamespace(metadata=tmp_path / "metadata.sqlite"), "1")
    told = runs.read_run(tmp_path / "metadata.sqlite", "1")
    assert told is not None
    assert told.metrics == {"recognized": 0.31, "recognized_real": 0.9}
    assert told.shortfalls == ["clips: recognized is 0.31; at least 0.5 was asked (clips.min_recognized)"]
