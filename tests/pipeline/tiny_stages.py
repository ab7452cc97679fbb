"""Real TFX components that do next to nothing. A file steers how one fails, so that a second run can differ."""

import logging
from pathlib import Path

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from ml_metadata.proto import metadata_store_pb2
from tfx import v1 as tfx
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.types.standard_artifacts import Examples, InfraBlessing, Model, ModelBlessing, PushedModel

from components.errors import DataError
from models.description import ModelDescription


@tfx.dsl.components.component
def Load(examples: OutputArtifact[Examples], text: Parameter[str]) -> None:
    (Path(examples.uri) / "text").write_text(text)


@tfx.dsl.components.component
def Train(examples: InputArtifact[Examples], model: OutputArtifact[Model], trouble: Parameter[str]) -> None:
    """Fails in the way that the file `trouble` names, if it is there."""
    progress = logging.getLogger("seqline.progress")
    for step in (1, 2):
        fields = {"stage": "Train", "completed": step, "total": 2, "fields": {"loss": 0.5 / step}}
        progress.info("step %d", step, extra={"progress": fields})
    (Path(model.uri) / "half").write_text("half a model")
    kind = Path(trouble).read_text() if Path(trouble).exists() else ""
    if kind == "bug":
        raise ValueError("shapes (3,) and (4,) do not match")
    if kind == "data":
        raise DataError("train.tsv:7: the label is empty. Give one")
    if kind == "disk":
        with open("/dev/full", "w") as full:
            full.write("x" * 100_000)
    if kind == "beam":
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            pipeline | beam.Create(["a"]) | "Parse" >> beam.Map(refuse)
    text = (Path(examples.uri) / "text").read_text()
    (Path(model.uri) / "model").write_text(f"a model of {text}")
    exported = Path(model.uri) / "Format-Serving"
    exported.mkdir()
    ModelDescription(name="tiny", task="text_to_text", architecture="seq2seq", settings={}).write(exported)


def refuse(line: str) -> None:
    raise DataError(f"train.tsv:1: {line} has one column.\nTwo are needed")


@tfx.dsl.components.component
def Judge(model: InputArtifact[Model], blessing: OutputArtifact[ModelBlessing], verdict: Parameter[int]) -> None:
    blessing.set_int_custom_property("blessed", verdict)
    blessing.set_int_custom_property("current_model_id", model.id)


@tfx.dsl.components.component
def TryOut(model: InputArtifact[Model], blessing: OutputArtifact[InfraBlessing], reason: Parameter[str]) -> None:
    blessing.set_int_custom_property("blessed", 0)
    blessing.set_string_custom_property("reason", reason)


@tfx.dsl.components.component
def Compare(
    model: InputArtifact[Model], report: OutputArtifact[Examples], baseline: InputArtifact[Model] = None
) -> None:
    (Path(report.uri) / "baseline").write_text(baseline.uri if baseline else "none")


@tfx.dsl.components.component
def Push(model: InputArtifact[Model], pushed_model: OutputArtifact[PushedModel], target: Parameter[str]) -> None:
    versions = [int(path.name) for path in Path(target).glob("*")]
    version = Path(target) / str(max(versions, default=0) + 1)
    version.mkdir(parents=True)
    pushed_model.set_int_custom_property("pushed", 1)
    pushed_model.set_string_custom_property("pushed_destination", str(version))
    pushed_model.set_string_custom_property("pushed_version", version.name)


def pipeline_of(root: Path, components: list) -> tfx.dsl.Pipeline:
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(root / "metadata.sqlite")
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return tfx.dsl.Pipeline(
        pipeline_name="tiny",
        pipeline_root=str(root / "artifacts"),
        metadata_connection_config=connection,
        components=components,
        enable_cache=True,
    )


def load_and_train(root: Path, text: str = "words") -> list:
    load = Load(text=text)
    return [load, Train(examples=load.outputs["examples"], trouble=str(root / "trouble"))]
