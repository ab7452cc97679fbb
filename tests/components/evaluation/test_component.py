"""ModelEvaluator, ServingValidator and Pusher as TFX runs them, on tiny SavedModels."""

import dataclasses
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import pytest
from tfx import v1 as tfx

from components.evaluation.component import ModelEvaluator
from components.evaluation.predictions import load_predictions
from components.evaluation.results import failures, load_metrics
from components.evaluation.settings import EvaluationSettings
from components.findings import Findings, kept_findings
from components.pusher import Pusher
from components.serving_validator.component import ServingValidator
from serving.settings import ServingSettings
from tests.components.evaluation.tiny_models import ROWS, KeywordClassifier, save, write_examples

RUNNER = ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"]
SCHEMA = """
feature { name: "text" type: BYTES presence { min_fraction: 1.0 min_count: 1 } shape { dim { size: 1 } } }
feature { name: "label" type: BYTES presence { min_fraction: 1.0 min_count: 1 } shape { dim { size: 1 } } }
"""
SETTINGS = EvaluationSettings.model_validate(
    {"split": "test", "thresholds": {"accuracy": {"min": 0.4}}, "max_regression": {"accuracy": 0.1}}
)
GOOD = {"neg": "bad", "pos": "good"}
# Answers neg to everything: half of the examples are right, enough for the threshold but worse than the model above.
WORSE = {"neg": "bad", "pos": "excellent"}


@dataclasses.dataclass
class Workplace:
    """One TFX pipeline over models that are handed in."""

    folder: Path

    def __post_init__(self) -> None:
        write_examples(self.folder / "examples" / "Split-eval", ROWS[:2])
        write_examples(self.folder / "examples" / "Split-test", ROWS)
        (self.folder / "schema").mkdir()
        (self.folder / "schema" / "schema.pbtxt").write_text(SCHEMA)

    @property
    def base(self) -> Path:
        return self.folder / "serving" / "tiny"

    def add_model(self, name: str, keywords: dict[str, str]) -> str:
        save(KeywordClassifier(keywords), self.folder / name / "Format-Serving")
        return str(self.folder / name)

    def importer(self, name: str, kind: Any, uri: str, **properties: str) -> Any:
        return tfx.dsl.Importer(source_uri=uri, artifact_type=kind, properties=properties).with_id(name)

    def run(self, model_uri: str, settings: EvaluationSettings = SETTINGS) -> None:
        kinds = tfx.types.standard_artifacts
        examples = self.importer(
            "Examples", kinds.Examples, str(self.folder / "examples"), split_names='["eval", "test"]'
        )
        schema = self.importer("Schema", kinds.Schema, str(self.folder / "schema"))
        model = self.importer("Model", kinds.Model, model_uri)
        # TFX's own choice, the latest blessed model: a second run compares the model with itself.
        baseline = tfx.dsl.Resolver(
            strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
            model=tfx.dsl.Channel(type=kinds.Model),
            model_blessing=tfx.dsl.Channel(type=kinds.ModelBlessing),
        ).with_id("LatestBlessedModel")
        evaluator = ModelEvaluator(
            examples=examples.outputs["result"],
            model=model.outputs["result"],
            baseline_model=baseline.outputs["model"],
            schema=schema.outputs["result"],
            task="text_classification",
            settings=settings,
        )
        validator = ServingValidator(
            model=model.outputs["result"],
            examples=examples.outputs["result"],
            name="tiny",
            task="text_classification",
            settings_json=ServingSettings().model_dump_json(),
        )
        push = Pusher(evaluator.outputs["blessing"], validator.outputs["blessing"], str(self.base))
        pipeline = tfx.dsl.Pipeline(
            pipeline_name="tiny",
            pipeline_root=str(self.folder / "artifacts"),
            components=[examples, schema, model, baseline, evaluator, validator, push],
            enable_cache=True,
            beam_pipeline_args=RUNNER,
            metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
                str(self.folder / "metadata.sqlite")
            ),
        )
        tfx.orchestration.LocalDagRunner().run(pipeline)

    def versions(self) -> list[str]:
        return sorted(p.name for p in self.base.iterdir() if p.name.isdecimal()) if self.base.exists() else []

    def latest(self, kind: str) -> Any:
        config = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(self.folder / "metadata.sqlite"))
        return max(mlmd.MetadataStore(config).get_artifacts_by_type(kind), key=lambda artifact: artifact.id)

    def states(self) -> dict[str, str]:
        """State of the last execution of each component."""
        config = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(self.folder / "metadata.sqlite"))
        store = mlmd.MetadataStore(config)
        executions = sorted(store.get_executions(), key=lambda execution: execution.id)
        names = {kind.id: kind.name.rpartition(".")[2] for kind in store.get_execution_types()}
        return {names[e.type_id]: mlmd.proto.Execution.State.Name(e.last_known_state) for e in executions}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    place = Workplace(tmp_path_factory.mktemp("workplace"))
    place.run(place.add_model("good", GOOD))
    return place


def test_first_model_without_a_baseline_is_blessed_and_pushed_with_its_warmup(workplace: Workplace):
    evaluation = workplace.latest("ModelEvaluation")
    assert workplace.latest("ModelBlessing").custom_properties["blessed"].int_value == 1
    assert failures(evaluation.uri) == []
    assert load_metrics(evaluation.uri)["overall"]["example_count"] == 8, "the split of the settings, not eval"
    assert load_metrics(evaluation.uri)["length=0-10"]["example_count"] == 7

    kept = kept_findings(evaluation.custom_properties)
    assert kept == Findings(load_metrics(evaluation.uri)["overall"], [])
    assert kept.metrics["example_count"] == 8

    predictions = {one.features["text"]: one for one in load_predictions(evaluation.uri)}
    assert len(predictions) == len({one.digest for one in predictions.values()} - {""}) == 8
    told = predictions["good script , bad bad bad everything else"]
    assert (told.features["label"], told.right, told.slices) == ("neg", ["neg"], ["label=neg", "length=0-10"])
    assert (told.outputs["label"], told.outputs["classes"], told.previous) == (["neg"], ["neg", "pos"], {})
    assert told.outputs["scores"] == pytest.approx([0.8, 0.2])

    infra = workplace.latest("InfraBlessing")
    assert infra.custom_properties["blessed"].int_value == 1
    assert sorted(p.name for p in Path(infra.uri).iterdir()) == ["INFRA_BLESSED", "server.log", "stamped_model"]

    [version] = workplace.versions()
    pushed = workplace.latest("PushedModel").custom_properties
    assert pushed["pushed_version"].string_value == version
    assert pushed["pushed_destination"].string_value == str(workplace.base / version)
    assert (workplace.base / version / "assets.extra" / "tf_serving_warmup_requests").exists()


def test_model_that_is_judged_again_is_not_pushed_again(workplace: Workplace):
    evaluation, versions = workplace.latest("ModelEvaluation").uri, workplace.versions()
    workplace.run(str(workplace.folder / "good"))
    states = workplace.states()
    assert {name: states[name] for name in ("ModelEvaluator", "ServingValidator", "Pusher")} == {
        "ModelEvaluator": "COMPLETE",
        "ServingValidator": "CACHED",
        "Pusher": "COMPLETE",
    }
    again = workplace.latest("ModelEvaluation").uri
    assert again != evaluation
    assert load_metrics(again) == load_metrics(again, baseline=True) == load_metrics(evaluation)
    assert workplace.versions() == versions
    assert workplace.latest("PushedModel").custom_properties["pushed_version"].string_value == versions[0]


def test_unchanged_run_comes_from_the_cache(workplace: Workplace):
    evaluation, pushed = workplace.latest("ModelEvaluation").uri, workplace.latest("PushedModel").uri
    workplace.run(str(workplace.folder / "good"))
    assert workplace.states()["ModelEvaluator"] == workplace.states()["Pusher"] == "CACHED"
    assert (workplace.latest("ModelEvaluation").uri, workplace.latest("PushedModel").uri) == (evaluation, pushed)
    assert kept_findings(workplace.latest("ModelEvaluation").custom_properties).metrics["accuracy"] == 0.75


def test_model_that_is_worse_than_the_last_blessed_one_is_not_pushed(workplace: Workplace):
    versions = workplace.versions()
    workplace.run(workplace.add_model("worse", WORSE))
    assert workplace.latest("ModelBlessing").custom_properties["blessed"].int_value == 0
    assert [f.message for f in failures(workplace.latest("ModelEvaluation").uri)] == [
        "accuracy is 0.5, 0.25 worse than the last blessed model's 0.75; at most 0.1 worse was asked "
        "(evaluation.max_regression.accuracy)"
    ]
    kept = kept_findings(workplace.latest("ModelEvaluation").custom_properties)
    assert [text.partition(",")[0] for text in kept.shortfalls] == ["accuracy is 0.5"]
    assert kept.metrics["accuracy"] == 0.5, "of the new model, not of the one it is compared with"
    predictions = load_predictions(workplace.latest("ModelEvaluation").uri)
    assert {one.outputs["label"][0] for one in predictions} == {"neg"}
    assert {one.previous["label"][0] for one in predictions} == {"neg", "pos"}
    assert workplace.versions() == versions
    assert workplace.latest("PushedModel").custom_properties["pushed"].int_value == 0


def test_model_that_cannot_be_served_is_not_pushed(workplace: Workplace):
    uri = workplace.add_model("deaf", GOOD)
    versions = workplace.versions()
    import tensorflow as tf

    model = KeywordClassifier(GOOD)
    tf.saved_model.save(model, f"{uri}/Format-Serving", signatures={"examples": model.examples})
    workplace.run(uri)
    assert workplace.latest("ModelBlessing").custom_properties["blessed"].int_value == 1
    infra = workplace.latest("InfraBlessing")
    assert infra.custom_properties["blessed"].int_value == 0
    reason = "it has no signature serving_default; its signatures: examples"
    assert infra.custom_properties["reason"].string_value == f"text_classification model tiny: {reason}"
    assert (Path(infra.uri) / "reason.txt").read_text().strip() == reason
    assert (Path(infra.uri) / "INFRA_NOT_BLESSED").exists()
    assert workplace.versions() == versions


def test_model_that_is_worse_by_more_than_chance_is_not_pushed(workplace: Workplace):
    versions = workplace.versions()
    against = {"metric": "accuracy", "worse_by": 0.1, "confidence": 0.6}
    workplace.run(str(workplace.folder / "worse"), EvaluationSettings(split="test", against_baseline=against))
    assert workplace.latest("ModelBlessing").custom_properties["blessed"].int_value == 0
    assert [file.name for file in Path(workplace.latest("ModelBlessing").uri).iterdir()] == ["NOT_BLESSED"]
    evaluation = workplace.latest("ModelEvaluation")
    assert failures(evaluation.uri) == [], "no bound on the value alone was set"
    [told] = kept_findings(evaluation.custom_properties).shortfalls
    assert told.startswith(
        "accuracy is 0.5, 0.25 worse than the last blessed model's 0.75, and more than 0.1 worse in "
    )
    assert told.endswith("of the 8 examples; less than 60.0% was asked (evaluation.against_baseline, accuracy)")
    assert workplace.versions() == versions
