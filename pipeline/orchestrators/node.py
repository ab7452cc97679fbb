"""Runs one node of a compiled pipeline in this process."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.io import fileio
from tfx.orchestration import data_types_utils
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import cache_utils, inputs_utils, launcher, outputs_utils
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import artifact

from pipeline.errors import StageFailed, StageNotReady
from pipeline.orchestrators.compiled import (
    compiled_deployment,
    metadata_handle,
    pipeline_nodes,
    stage_ids,
    upstream_stages,
)
from pipeline.orchestrators.events import Listener, StageEvent, State

Outputs = Mapping[str, list[artifact.Artifact]]
StillTrue = Callable[[Outputs], bool]


def run_stage(
    compiled: pipeline_pb2.Pipeline, stage: str, listener: Listener, still_true: Mapping[str, StillTrue]
) -> None:
    """Runs one stage, and before it the resolvers that it needs and that have not run yet.

    A stage that has ended well in this run stays as it is; one that failed or was killed runs anew.

    Args:
        compiled: from compile_pipeline.
        stage: its id.
        listener: is told when the stage starts and how it ends.
        still_true: for stages whose effect lies outside of the artifacts: whether a cached result still holds.

    Raises:
        StageNotReady: there is no such stage, or one before it has not ended well in this run.
        StageFailed: the stage failed.
    """
    stages = stage_ids(compiled)
    if stage not in stages:
        raise StageNotReady(f"There is no stage {stage}; the stages are {', '.join(stages)}")
    nodes = {node.node_info.id: node for node in pipeline_nodes(compiled)}
    waits_for = [name for name in upstream_stages(compiled)[stage] if not _ended_well(compiled, nodes[name])]
    if waits_for:
        raise StageNotReady(f"{stage} needs what has not been made in this run; first run {', '.join(waits_for)}")
    with without_arguments():
        for name in nodes[stage].upstream_nodes:
            if name not in stages and not _ended_well(compiled, nodes[name]):
                run_node(compiled, nodes[name], listener)
        _remove_half_made(compiled, nodes[stage])
        run_node(compiled, nodes[stage], listener, still_true.get(stage))


def run_node(
    compiled: pipeline_pb2.Pipeline,
    node: pipeline_pb2.PipelineNode,
    listener: Listener,
    still_true: StillTrue | None = None,
) -> None:
    """Launches a stage or a resolver; raises StageFailed. The nodes before it must have run."""
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
    if execution is None or not execution_lib.is_execution_successful(execution):
        tell(State.FAILED)
        raise StageFailed(stage, None, _recorded_message(execution))
    was_cached = execution.last_known_state == metadata_store_pb2.Execution.CACHED
    tell(State.CACHED if was_cached else State.DONE)


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


@contextlib.contextmanager
def without_arguments() -> Iterator[None]:
    """Hides the command line: TFX's executor operators append sys.argv[1:] to the arguments of Beam."""
    arguments = sys.argv[1:]
    del sys.argv[1:]
    try:
        yield
    finally:
        sys.argv[1:] = arguments


def _ended_well(compiled: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> bool:
    return any(map(execution_lib.is_execution_successful, _executions(compiled, node)))


def _remove_half_made(compiled: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> None:
    """Removes what a killed attempt of the same run left: TFX would run the stage again into the same folders."""
    outputs = outputs_utils.OutputsResolver(node, compiled.pipeline_info, compiled.runtime_spec)
    for execution in _executions(compiled, node):
        if not execution_lib.is_execution_successful(execution):
            for made in outputs.generate_output_artifacts(execution.id).values():
                for one in made:
                    if fileio.exists(one.uri):
                        fileio.rmtree(one.uri)


def _executions(compiled: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> list[metadata_store_pb2.Execution]:
    """What ML Metadata has of the node in this run."""
    with metadata_handle(compiled) as handle:
        contexts = [
            handle.store.get_context_by_type_and_name(context.type.name, context.name.field_value.string_value)
            for context in node.contexts.contexts
        ]
        if None in contexts:
            return []
        return execution_lib.get_executions_associated_with_all_contexts(handle, contexts)


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
