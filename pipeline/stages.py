"""The stages of the pipeline, from raw files to a pushed model."""

from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode

from components.data_gate import DataGate
from components.evaluation.component import model_evaluator
from components.example_gen.component import ExampleGen
from components.example_gen.fingerprint import data_fingerprint
from components.importer import other_model
from components.pusher import pusher
from components.review.catalogue import REVIEWS
from components.review.component import Review
from components.review.page import template_hash
from components.serving_validator.component import ServingValidator
from components.tokenizer_trainer import TokenizerTrainer
from components.transform import Transform
from models.registry import TASKS
from pipeline.config.config import Config
from pipeline.orchestrators.baseline import PreviousBlessedModel
from pipeline.orchestrators.code_hash import hash_room
from pipeline.orchestrators.local import Outputs, StillTrue
from pipeline.run.output_folder import OutputFolder

# In this process. Beam's DirectRunner would first try to download a runner from the network.
# TFX would pack its own source for workers at every Beam stage, unless told that there are none.
BEAM_ARGUMENTS = [
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--sdk_container_image=in_process",
]


def build_pipeline(config: Config) -> tfx.dsl.Pipeline:
    """Builds the pipeline: a list of stages, from top to bottom as the data flows."""
    folder = OutputFolder(config)
    code = hash_room("models")

    any_length = any(feature.facts.many for feature in TASKS[config.task].features)
    examples = ExampleGen(
        settings_json=config.data.model_dump_json(),
        task=config.task,
        fingerprint=data_fingerprint(config.data),
        audio_json=config.audio.model_dump_json(),
    )
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.SchemaGen(
        # From the train split alone: what only the other splits hold is an anomaly.
        statistics=statistics.outputs["statistics"],
        exclude_splits=["eval", "test"],
        # Texts and labels are one value each; recordings are of any length, even where all of train have one.
        infer_feature_shape=not any_length,
    )
    anomalies = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    gate = DataGate(
        anomalies=anomalies.outputs["anomalies"],
        statistics=statistics.outputs["statistics"],
        task=config.task,
        settings_json=config.data.model_dump_json(),
    )
    tokenizer = TokenizerTrainer(
        examples=examples.outputs["examples"],
        task=config.task,
        settings_json=config.tokenizer.model_dump_json(),
        code_hash=code,
    )
    # Nothing flows from the gate to the tokenizer, yet no work is worth doing on data that the gate refuses.
    tokenizer.add_upstream_node(gate)
    transform = Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        vocabulary=tokenizer.outputs["vocabulary"],
        task=config.task,
        code_hash=code,
    )
    trainer = tfx.components.Trainer(
        run_fn="models.training.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config={
            "settings": config.run_settings().model_dump_json(),
            "code_hash": code,
            "checkpoint_dir": str(folder.checkpoints),
        },
    )
    baseline = tfx.dsl.Resolver(
        strategy_class=PreviousBlessedModel,
        config={"task": config.task},
        candidate=trainer.outputs["model"],
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("LatestBlessedModel")
    evaluator = model_evaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        schema=schema.outputs["schema"],
        task=config.task,
        settings=config.evaluation,
    )
    judges = [evaluator, *_review(config, examples, trainer, evaluator)]
    validator = ServingValidator(
        model=trainer.outputs["model"],
        examples=examples.outputs["examples"],
        name=config.name,
        task=config.task,
        settings_json=config.serving.model_dump_json(),
        code_hash=hash_room("serving"),
    )
    # Nothing flows from the judges to the server; a reader of the display expects the quality first.
    validator.add_upstream_node(judges[-1])
    push = pusher(
        # The last judge gives the verdict of all.
        model_blessing=judges[-1].outputs["blessing"],
        infra_blessing=validator.outputs["blessing"],
        base_directory=str(folder.serving),
    )
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(folder.artifacts),
        metadata_connection_config=_metadata_connection(folder),
        components=[
            examples,
            statistics,
            schema,
            anomalies,
            gate,
            tokenizer,
            transform,
            trainer,
            baseline,
            *judges,
            validator,
            push,
        ],
        enable_cache=True,
        beam_pipeline_args=BEAM_ARGUMENTS,
    )


def _review(config: Config, examples: BaseNode, trainer: BaseNode, evaluator: BaseNode) -> list[BaseNode]:
    """The stage that lets people see or hear what the model makes, for a task that has one; the verdict is the last."""
    name = TASKS[config.task].review
    settings = getattr(config, name) if name else None
    if settings is None or not settings.makes_samples:
        return []
    judge = REVIEWS[name].find_judge(settings, config.run_settings())
    imported = [other_model(judge, "Recognizer")] if judge else []
    inputs = {"recognizer": imported[0].outputs["result"]} if imported else {}
    review = Review(
        model=trainer.outputs["model"],
        examples=examples.outputs["examples"],
        evaluation_blessing=evaluator.outputs["blessing"],
        name=name,
        split=config.evaluation.split,
        settings_json=settings.model_dump_json(),
        code_hash=template_hash(),
        **inputs,
    )
    return [*imported, review]


def _metadata_connection(folder: OutputFolder) -> metadata_store_pb2.ConnectionConfig:
    # Not TFX's own function, which makes the folder: a plan must leave no trace.
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(folder.metadata)
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return connection


def is_push_current(outputs: Outputs) -> bool:
    """Whether a cached push is still what the server would serve.

    It is not when the folder of its version is gone, or when another model was pushed after it.
    """
    [pushed] = outputs["pushed_model"]
    if pushed.get_int_custom_property("pushed") != 1:
        return True
    version = Path(pushed.get_string_custom_property("pushed_destination"))
    versions = [int(other.name) for other in version.parent.glob("*") if other.name.isdigit()]
    return bool(versions) and max(versions) == int(version.name)


STILL_TRUE: dict[str, StillTrue] = {"Pusher": is_push_current}
