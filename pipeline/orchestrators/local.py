"""Runs the stages of a compiled pipeline one after another in this process.

TFX's LocalDagRunner does the same launching, but it says nothing about its progress, does not tell a cached stage from
one that ran, and returns normally when the inputs of a stage are not found.
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import data_types_utils, metadata
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import (
    cache_utils,
    inputs_utils,
    launcher,
    outputs_utils,
    runtime_parameter_utils,
)
from tfx.proto.orchestration import local_deployment_config_pb2, pipeline_pb2
from tfx.types import artifact

from pipeline.errors import StageFailed
from pipeline.orchestrators.code_hash import ROOMS, hash_module
from pipeline.orchestrators.events import Listener, StageEvent, State

Outputs = Mapping[str, list[artifact.Artifact]]
StillTrue = Callable[[Outputs], bool]


def compile_pipeline(pipeline: tfx_pipeline.Pipeline, run_id: str) -> pipeline_pb2.Pipeline:
    """Compiles to TFX's intermediate representation, ready to run once under the name `run_id`."""
    compiled = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(compiled, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
    executors = compiled_deployment(compiled).executor_specs
    for node in (node.pipeline_node for node in compiled.nodes):
        # TFX's cache key has the class path of an executor, not its code. Not under the name code_hash: some stages
        # have an argument of that name, for code that they call.
        module = _executor_module(executors, node.node_info.id)
        if module.partition(".")[0] in ROOMS:
            node.parameters.parameters["executor_code_hash"].field_value.string_value = hash_module(module)
    return compiled


def annotate(compiled: pipeline_pb2.Pipeline, notes: Mapping[str, str]) -> None:
    """Keeps notes with the run in ML Metadata, as custom properties of its context."""
    for node in compiled.nodes:
        for context in node.pipeline_node.contexts.contexts:
            if context.type.name == constants.PIPELINE_RUN_CONTEXT_TYPE_NAME:
                for key, value in notes.items():
                    context.properties[key].field_value.string_value = value


def run(compiled: pipeline_pb2.Pipeline, listener: Listener, still_true: Mapping[str, StillTrue]) -> None:
    """Launches every stage; raises StageFailed at the first that fails. What ran before is in the cache next time.

    Args:
        compiled: from compile_pipeline.
        listener: is told when a stage starts and how it ends.
        still_true: for stages whose effect lies outside of the artifacts: whether a cached result still holds.
    """
    with _without_arguments():
        for node in (node.pipeline_node for node in compiled.nodes):
            _run_node(compiled, node, listener, still_true.get(node.node_info.id))


def stage_ids(compiled: pipeline_pb2.Pipeline) -> list[str]:
    """The stages that have work to do, in order; resolvers only look things up."""
    executors = compiled_deployment(compiled).executor_specs
    return [node.pipeline_node.node_info.id for node in compiled.nodes if node.pipeline_node.node_info.id in executors]


def compiled_deployment(compiled: pipeline_pb2.Pipeline) -> local_deployment_config_pb2.LocalDeploymentConfig:
    """Where each executor is and how ML Metadata is reached."""
    return runner_utils.extract_local_deployment_config(compiled)


def metadata_handle(compiled: pipeline_pb2.Pipeline) -> metadata.Metadata:
    """A connection to the pipeline's ML Metadata, to be used in a `with`."""
    config = compiled_deployment(compiled).metadata_connection_config
    return metadata.Metadata(getattr(config, config.WhichOneof("connection_config")))


def make_launcher(
    compiled: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode, executor_operators: dict | None = None
) -> launcher.Launcher:
    """TFX's launcher of one node: resolves inputs, consults the cache, runs the executor, publishes the outputs."""
    deployment = compiled_deployment(compiled)
    return launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=metadata_handle(compiled),
        pipeline_info=compiled.pipeline_info,
        pipeline_runtime_spec=compiled.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, node.node_info.id),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node.node_info.id),
        custom_executor_operators=executor_operators,
    )


def forbid_stale_cache(
    compiled: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode, still_true: StillTrue | None
) -> None:
    """Turns the node's cache off when it would give a result that no longer holds. Its upstream nodes must have run."""
    if still_true is None:
        return
    outputs = _cached_outputs(compiled, node)
    if outputs is not None and not still_true(outputs):
        node.execution_options.caching_options.enable_cache = False


def _run_node(
    compiled: pipeline_pb2.Pipeline,
    node: pipeline_pb2.PipelineNode,
    listener: Listener,
    still_true: StillTrue | None,
) -> None:
    stage = node.node_info.id
    has_work = stage in compiled_deployment(compiled).executor_specs
    started = time.monotonic()

    def tell(state: State) -> None:
        if has_work or state == State.FAILED:
            listener(StageEvent(stage, state, time.monotonic() - started))

    tell(State.STARTED)
    try:
        forbid_stale_cache(compiled, node, still_true)
        info = make_launcher(compiled, node).launch()
    except Exception as error:
        tell(State.FAILED)
        raise StageFailed(stage, error) from error
    execution = _execution(compiled, info.execution_id) if info is not None else None
    if execution is None or execution.last_known_state not in (
        metadata_store_pb2.Execution.COMPLETE,
        metadata_store_pb2.Execution.CACHED,
    ):
        tell(State.FAILED)
        raise StageFailed(stage, None, _recorded_message(execution))
    was_cached = execution.last_known_state == metadata_store_pb2.Execution.CACHED
    tell(State.CACHED if was_cached else State.DONE)


def _execution(compiled: pipeline_pb2.Pipeline, execution_id: int | None) -> metadata_store_pb2.Execution | None:
    if execution_id is None:
        return None
    with metadata_handle(compiled) as handle:
        [execution] = handle.store.get_executions_by_id([execution_id])
    return execution


def _recorded_message(execution: metadata_store_pb2.Execution | None) -> str:
    if execution is None:
        return "TFX skipped it"
    recorded = execution.custom_properties["__execution_result__"].string_value
    message = json.loads(recorded).get("resultMessage", "") if recorded else ""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[-1] if lines else "TFX gave no reason"


def _cached_outputs(compiled: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> Outputs | None:
    """What TFX would take from its cache for the node, by the same steps as its launcher."""
    deployment = compiled_deployment(compiled)
    with metadata_handle(compiled) as handle:
        inputs = inputs_utils.resolve_input_artifacts(pipeline_node=node, metadata_handle=handle)
        if len(inputs) != 1:
            return None
        parameters = inputs_utils.resolve_parameters_with_schema(node_parameters=node.parameters)
        context = cache_utils.get_cache_context(
            metadata_handle=handle,
            pipeline_node=node,
            pipeline_info=compiled.pipeline_info,
            executor_spec=runner_utils.extract_executor_spec(deployment, node.node_info.id),
            input_artifacts=inputs[0],
            # The execution id stands in the artifacts' folder names only, which are no part of the cache key.
            output_artifacts=outputs_utils.generate_output_artifacts(0, node.outputs.outputs, ""),
            parameters=data_types_utils.build_parsed_value_dict(parameters),
        )
        return cache_utils.get_cached_outputs(handle, cache_context=context)


def _executor_module(executors: Mapping[str, local_deployment_config_pb2.ExecutableSpec], stage: str) -> str:
    if stage not in executors:
        return ""
    spec = executors[stage]
    python = spec.beam_executable_spec.python_executor_spec if spec.HasField("beam_executable_spec") else None
    return (python or spec.python_class_executable_spec).class_path.rpartition(".")[0]


@contextlib.contextmanager
def _without_arguments() -> Iterator[None]:
    """Hides the command line: TFX's executor operators append sys.argv[1:] to the arguments of Beam."""
    arguments = sys.argv[1:]
    del sys.argv[1:]
    try:
        yield
    finally:
        sys.argv[1:] = arguments
