"""A pipeline in TFX's intermediate representation, ready to run once: what all orchestrators stand on."""

from collections.abc import Mapping

from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import local_deployment_config_pb2, pipeline_pb2

from pipeline.orchestrators.code_hash import ROOMS, hash_modules


def compile_pipeline(pipeline: tfx_pipeline.Pipeline, run_id: str) -> pipeline_pb2.Pipeline:
    """Compiles to TFX's intermediate representation, ready to run once under the name `run_id`."""
    compiled = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(compiled, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
    executors = compiled_deployment(compiled).executor_specs
    for node in pipeline_nodes(compiled):
        # TFX's cache key has the class path of an executor, not its code. Not under the name code_hash: some stages
        # have an argument of that name, for code that is named by a string.
        module = _executor_module(executors, node.node_info.id)
        if module.partition(".")[0] in ROOMS:
            node.parameters.parameters["executor_code_hash"].field_value.string_value = hash_modules(module)
    return compiled


def annotate(compiled: pipeline_pb2.Pipeline, notes: Mapping[str, str]) -> None:
    """Keeps notes with the run in ML Metadata, as custom properties of its context."""
    for node in pipeline_nodes(compiled):
        for context in node.contexts.contexts:
            if context.type.name == constants.PIPELINE_RUN_CONTEXT_TYPE_NAME:
                for key, value in notes.items():
                    context.properties[key].field_value.string_value = value


def pipeline_nodes(compiled: pipeline_pb2.Pipeline) -> list[pipeline_pb2.PipelineNode]:
    """The stages and the resolvers, each after those that it needs."""
    return [node.pipeline_node for node in compiled.nodes]


def stage_ids(compiled: pipeline_pb2.Pipeline) -> list[str]:
    """The stages that have work to do, in order; resolvers only look things up."""
    executors = compiled_deployment(compiled).executor_specs
    return [node.node_info.id for node in pipeline_nodes(compiled) if node.node_info.id in executors]


def upstream_stages(compiled: pipeline_pb2.Pipeline) -> dict[str, list[str]]:
    """For each stage in order, the stages that must have run before it; resolvers between them are passed through."""
    stages = stage_ids(compiled)
    upstream: dict[str, list[str]] = {}
    for node in pipeline_nodes(compiled):
        found: set[str] = set()
        for name in node.upstream_nodes:
            found |= {name} if name in stages else set(upstream[name])
        upstream[node.node_info.id] = sorted(found, key=stages.index)
    return {stage: upstream[stage] for stage in stages}


def compiled_deployment(compiled: pipeline_pb2.Pipeline) -> local_deployment_config_pb2.LocalDeploymentConfig:
    """Where each executor is and how ML Metadata is reached."""
    return runner_utils.extract_local_deployment_config(compiled)


def metadata_handle(compiled: pipeline_pb2.Pipeline) -> metadata.Metadata:
    """A connection to the pipeline's ML Metadata, to be used in a `with`."""
    config = compiled_deployment(compiled).metadata_connection_config
    return metadata.Metadata(getattr(config, config.WhichOneof("connection_config")))


def _executor_module(executors: Mapping[str, local_deployment_config_pb2.ExecutableSpec], stage: str) -> str:
    if stage not in executors:
        return ""
    spec = executors[stage]
    python = spec.beam_executable_spec.python_executor_spec if spec.HasField("beam_executable_spec") else None
    return (python or spec.python_class_executable_spec).class_path.rpartition(".")[0]
