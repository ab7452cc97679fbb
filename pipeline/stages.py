"""The stages of the pipeline, from raw files to a pushed model."""

import dataclasses
import json
from collections.abc import Collection
from typing import NamedTuple, TypeVar

from ml_metadata.proto import metadata_store_pb2
from tfx import v1 as tfx
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_node import BaseNode

from components.data_gate import DataGate
from components.evaluation.catalogue import judged_labels
from components.evaluation.component import ModelEvaluator
from components.example_gen.component import ExampleGen
from components.example_gen.fingerprint import data_fingerprint
from components.example_gen.formats import reader_of, sections_for
from components.example_gen.input_files import input_files
from components.features import features_json
from components.files_hash import hash_files
from components.gazetteers import gazetteers_json
from components.importer import other_model
from components.pushed_vectors import find_vectors
from components.pusher import Pusher, is_push_current
from components.review.catalogue import REVIEWS
from components.review.component import Review
from components.serving_validator.component import ServingValidator
from components.tokenizer_trainer import TokenizerTrainer
from components.trainer import Trainer
from components.transform import Transform
from models.registry import ARCHITECTURES, TASKS
from models.training import OTHER_VECTORS, START
from pipeline.config.config import Config
from pipeline.orchestrators.baseline import Baseline, previous_blessed_model
from pipeline.orchestrators.code_hash import hash_modules
from pipeline.orchestrators.node import StillTrue
from pipeline.run.output_folder import OutputFolder
from pipeline.run.start import find_start

# In this process. Beam's DirectRunner would first try to download a runner from the network.
# TFX would pack its own source for workers at every Beam stage, unless told that there are none.
BEAM_ARGUMENTS = [
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--sdk_container_image=in_process",
]
# Stages whose effect lies outside of the artifacts: whether a cached result still holds.
STILL_TRUE: dict[str, StillTrue] = {"Pusher": is_push_current}
# What the section of the data says to the training; the examples stay the same.
_FOR_TRAINING = {"too_long", "too_long_target"}
# What a task says of itself to those who judge its models, not to those who train them.
_FOR_JUDGES = {"judging", "review"}
# What the training takes from other runs, to the stage that brings it in.
_IMPORTED = {OTHER_VECTORS: "WordVectors", START: "Pretrained"}

Stage = TypeVar("Stage", bound=BaseComponent)


class DataStages(NamedTuple):
    """From raw files to raw examples that training may rely on."""

    examples: BaseNode
    statistics: BaseNode
    schema: BaseNode
    anomalies: BaseNode
    gate: BaseNode


class ModelStages(NamedTuple):
    """From raw examples to an exported model; `imported` is what other runs have made."""

    tokenizer: BaseNode
    transform: BaseNode
    trainer: BaseNode
    imported: list[BaseNode]


def build_pipeline(config: Config, baseline: Baseline = previous_blessed_model) -> tfx.dsl.Pipeline:
    """Builds the pipeline: a list of stages, from top to bottom as the data flows.

    Args:
        config: what to run.
        baseline: chooses the model that a new one is compared with; `latest_blessed_model` for Kubeflow Pipelines.
    """
    folder = OutputFolder(config)
    data = _data_stages(config)
    model = _model_stages(config, data, folder)
    compared_with = baseline(config.task, model.trainer)
    judges = _judges(config, data, model.trainer, compared_with)
    validator = _validator(config, data, model.trainer, judges[-1])
    pusher = Pusher(
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
            *data,
            *model.imported,
            model.tokenizer,
            model.transform,
            model.trainer,
            compared_with,
            *judges,
            validator,
            pusher,
        ],
        enable_cache=True,
        beam_pipeline_args=BEAM_ARGUMENTS,
    )


def _data_stages(config: Config) -> DataStages:
    features, sections = features_json(config.features), sections_for(config.features)
    examples = _with_code(
        ExampleGen(
            settings_json=config.data.model_dump_json(exclude=_FOR_TRAINING),
            features=features,
            fingerprint=data_fingerprint(config.data),
            sections_json=json.dumps({name: getattr(config, name).model_dump(mode="json") for name in sections}),
        ),
        *sorted({reader_of(file.format).module for file in input_files(config.data, config.features)}),
    )
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.SchemaGen(
        # From the train split alone: what only the other splits hold is an anomaly.
        statistics=statistics.outputs["statistics"],
        exclude_splits=["eval", "test"],
        # Texts and labels are one value each; recordings are of any length, even where all of train have one.
        infer_feature_shape=not any(feature.facts.many for feature in config.features),
    )
    anomalies = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    gate = DataGate(
        anomalies=anomalies.outputs["anomalies"],
        statistics=statistics.outputs["statistics"],
        features=features,
        settings_json=config.data.model_dump_json(exclude=_FOR_TRAINING),
        examples=examples.outputs["examples"],
        judged_labels=json.dumps(judged_labels(config.task, config.evaluation)),
    )
    return DataStages(examples, statistics, schema, anomalies, gate)


def _model_stages(config: Config, data: DataStages, folder: OutputFolder) -> ModelStages:
    task, architecture = TASKS[config.task], ARCHITECTURES[config.model.architecture]
    task_code = (type(task).__module__, task.module)
    found = {OTHER_VECTORS: find_vectors(config.run_settings()), START: find_start(config)}
    others = {name: model for name, model in found.items() if model}
    imported = {name: other_model(model, _IMPORTED[name]) for name, model in others.items()}
    given = {name: importer.outputs["result"] for name, importer in imported.items()}
    tokenizer = TokenizerTrainer(
        examples=data.examples.outputs["examples"],
        features=features_json(task.features),
        settings_json=config.tokenizer.model_dump_json(),
        gazetteers=gazetteers_json(config.labeling.gazetteers),
        **{name: channel for name, channel in given.items() if name == START},
    )
    # Nothing flows from the gate to the tokenizer, yet no work is worth doing on data that the gate refuses.
    tokenizer.add_upstream_node(data.gate)
    transform = _with_code(
        Transform(
            examples=data.examples.outputs["examples"],
            schema=data.schema.outputs["schema"],
            vocabulary=tokenizer.outputs["vocabulary"],
            task=config.task,
        ),
        "components.preprocessing",
        *task_code,
    )
    trainer = Trainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=data.schema.outputs["schema"],
        custom_config={
            "settings": config.run_settings().model_dump_json(),
            "task_facts": _task_facts(config.task, _FOR_JUDGES),
            "code_hash": hash_modules(
                "models.training", *task_code, architecture.module, architecture.settings.__module__
            ),
            "checkpoint_dir": str(folder.checkpoints),
            "fingerprint": "".join(model.fingerprint for model in others.values()),
            "too_long": config.data.actions_on_too_long,
        },
        from_other_runs=given,
    )
    return ModelStages(tokenizer, transform, trainer, [*imported.values()])


def _judges(config: Config, data: DataStages, trainer: BaseNode, baseline: BaseNode) -> list[BaseNode]:
    """Those that say how good the model is; each knows the verdict of the one before it."""
    evaluator = _with_code(
        ModelEvaluator(
            examples=data.examples.outputs["examples"],
            model=trainer.outputs["model"],
            baseline_model=baseline.outputs["model"],
            schema=data.schema.outputs["schema"],
            task=config.task,
            settings=config.evaluation,
        ),
        # TFX loads them by their names.
        "components.evaluation.extractors",
        "components.evaluation.metrics",
    )
    return [evaluator, *_review(config, data.examples, trainer, evaluator)]


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
        **inputs,
    )
    files = [(key, getattr(settings, key)) for key in REVIEWS[name].files if getattr(settings, key)]
    facts = {"task_facts": _task_facts(config.task), "files": hash_files(files)}
    return [*imported, _with_code(review, REVIEWS[name].module, **facts)]


def _validator(config: Config, data: DataStages, trainer: BaseNode, last_judge: BaseNode) -> BaseNode:
    validator = _with_code(
        ServingValidator(
            model=trainer.outputs["model"],
            examples=data.examples.outputs["examples"],
            name=config.name,
            task=config.task,
            settings_json=config.serving.model_dump_json(),
        ),
        # It starts the server as a program.
        "serving",
    )
    # Nothing flows from the judges to the server; a reader of the display expects the quality first.
    validator.add_upstream_node(last_judge)
    return validator


def _with_code(stage: Stage, *roots: str, **facts: str) -> Stage:
    """Lets the cache notice edits of code, and of table rows, that a stage finds by a name and not by an import."""
    stage.spec.exec_properties |= {"code_hash": hash_modules(*roots), **facts}
    return stage


def _task_facts(task: str, without: Collection[str] = ()) -> str:
    facts = dataclasses.asdict(TASKS[task])
    return json.dumps({name: fact for name, fact in facts.items() if name not in without}, default=sorted)


def _metadata_connection(folder: OutputFolder) -> metadata_store_pb2.ConnectionConfig:
    # Not TFX's own function, which makes the folder: a plan must leave no trace.
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(folder.metadata)
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return connection
