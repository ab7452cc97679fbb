"""Review as TFX runs it."""

import logging
from pathlib import Path

import ml_metadata as mlmd
import pytest
from tfx import v1 as tfx
from tfx.components.util.model_utils import is_model_blessed
from tfx.types import artifact_utils

from components.findings import Findings, kept_findings
from components.importer import other_model
from components.other_models import find_model
from components.review.component import Review
from components.review.result import load_review
from components.review.settings import ClipReviewSettings
from tests.components.review.clips.tones import pushed, speaker, tone, write_raw

INPUT = mlmd.proto.Event.INPUT


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of the stages before."""
    folder = tmp_path_factory.mktemp("place")
    speaker(folder / "model" / "Format-Serving")
    clips = [(label, "", tone(label, 100)) for label in ("high", "low")]
    write_raw(clips, folder / "examples" / "Split-eval")
    write_raw([("high", "", tone("high", 900))], folder / "examples" / "Split-test")
    (folder / "verdict").mkdir()
    # Hears "high" in all clips.
    pushed(folder / "ears", low="high")
    return folder


def run(place: Path, output: Path, verdict: int = 1, **settings):
    """The result, whether it was blessed, and the model that the verdict is about."""
    kinds = tfx.types.standard_artifacts

    def given(name, kind, **properties):
        return tfx.dsl.Importer(source_uri=str(place / name), artifact_type=kind, **properties).with_id(name)

    examples = given("examples", kinds.Examples, properties={"split_names": '["eval", "test"]'})
    model = given("model", kinds.Model)
    evaluated = given("verdict", kinds.ModelBlessing, custom_properties={"blessed": verdict})
    ears = other_model(find_model(str(place / "ears"), "clips.recognizer", "audio_classification"), "Recognizer")
    component = Review(
        model=model.outputs["result"],
        examples=examples.outputs["result"],
        evaluation_blessing=evaluated.outputs["result"],
        name="clips",
        split="eval",
        settings_json=ClipReviewSettings(recognizer=str(place / "ears"), **settings).model_dump_json(),
        recognizer=ears.outputs["result"],
    )
    connection = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(output / "metadata.sqlite"))
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="tiny",
            pipeline_root=str(output / "artifacts"),
            components=[examples, model, evaluated, ears, component],
            enable_cache=True,
            metadata_connection_config=connection,
        )
    )
    store = mlmd.MetadataStore(connection)
    review = max(store.get_artifacts_by_type("SeqlineReviewedSamples"), key=lambda artifact: artifact.id)
    blessing = max(store.get_artifacts_by_type("ModelBlessing"), key=lambda artifact: artifact.id)
    [kind] = store.get_artifact_types_by_id([blessing.type_id])
    artifact = artifact_utils.deserialize_artifact(kind, blessing)
    assert review.uri.startswith(str(output / "artifacts" / "Review" / "review"))
    result = load_review(review.uri)
    assert kept_findings(review.custom_properties) == Findings(result.metrics, result.shortfalls, "page.html")
    recognizer = max(store.get_artifacts_by_type("SeqlineOtherModel"), key=lambda artifact: artifact.id)
    executions = store.get_executions_by_type("components.review.component.Review")
    execution = max(executions, key=lambda execution: execution.id)
    read = [event.artifact_id for event in store.get_events_by_execution_ids([execution.id]) if event.type == INPUT]
    assert recognizer.id in read, "the lineage tells by which model it was judged"
    return result, is_model_blessed(artifact), artifact


def test_a_model_that_is_understood_is_blessed_and_the_stage_tells_how_far_it_is(place, tmp_path, caplog):
    with caplog.at_level(logging.INFO, "seqline.progress"):
        result, blessed, artifact = run(place, tmp_path, per_label=2, min_recognized=0.5)
    assert blessed and (Path(artifact.uri) / "BLESSED").exists()
    assert artifact.get_string_custom_property("current_model") == str(place / "model")
    assert artifact.get_int_custom_property("current_model_id") > 0
    assert result.metrics == {"recognized": 0.5, "recognized_real": 0.5}
    assert {clip.facts["num_samples"] for clip in result.samples} == {100}, (
        "the lengths are those of the split that was asked for"
    )
    told = [record.progress for record in caplog.records if record.name == "seqline.progress"]
    assert told == [{"stage": "Review", "completed": 4, "total": 4}]


@pytest.mark.parametrize(("verdict", "min_recognized"), [(0, None), (1, 0.6), (0, 0.5)])
def test_a_model_is_not_blessed_if_one_of_the_judges_refuses_it(place, tmp_path, verdict, min_recognized):
    result, blessed, artifact = run(place, tmp_path, verdict, per_label=1, min_recognized=min_recognized)
    assert not blessed and (Path(artifact.uri) / "NOT_BLESSED").exists()
    assert bool(result.shortfalls) == (min_recognized == 0.6)


def test_another_recognizer_under_the_same_path_makes_the_review_anew(place, tmp_path, caplog):
    def made(result) -> int:
        told = sum(record.name == "seqline.progress" for record in caplog.records)
        caplog.clear()
        return told

    with caplog.at_level(logging.INFO, "seqline.progress"):
        assert made(run(place, tmp_path, per_label=1)) > 0
        assert made(run(place, tmp_path, per_label=1)) == 0, "it comes from the cache, with what was found"
        (place / "ears" / "1" / "assets.extra" / "note").write_text("trained anew")
        assert made(run(place, tmp_path, per_label=1)) > 0
